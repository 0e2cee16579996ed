// Here, since a test's own environment is a copy that no library sees: ONNX Runtime would send its maker events of every test run.
process.env.ORT_DISABLE_TELEMETRY ??= '1';

const esmOnly = ['@marcbachmann/cel-js', 'ts-proto', '@segment', 'csv-parse', 'cookie', 'hyparquet'];

/** Shared by all projects: TypeScript through swc as CommonJS, workspace packages from their sources. */
const base = {
  rootDir: import.meta.dirname,
  testEnvironment: '<rootDir>/scripts/jest-environment.mjs',
  transform: {
    '^.+\\.(t|j|mj)s$': [
      '@swc/jest',
      { jsc: { target: 'es2023', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  transformIgnorePatterns: [`/node_modules/(?!(?:\\.pnpm/)?(${esmOnly.join('|').replaceAll('/', '[+/]')}))`],
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^@perennial/service-([a-z-]+)$': '<rootDir>/services/$1/src/index.ts',
    '^@perennial/([a-z-]+)$': '<rootDir>/packages/$1/src/index.ts',
    '^@perennial/([a-z-]+)/(testing|contract-suite)$': '<rootDir>/packages/$1/src/$2.ts',
  },
  modulePathIgnorePatterns: ['<rootDir>/.*/dist/', '<rootDir>/.perennial/'],
};

export default {
  projects: [
    {
      ...base,
      displayName: 'unit',
      testMatch: ['<rootDir>/{packages,services}/*/src/**/*.test.ts', '<rootDir>/scripts/**/*.test.mjs'],
    },
    { ...base, displayName: 'simulation', testMatch: ['<rootDir>/tests/simulation/**/*.test.ts'] },
    {
      ...base,
      displayName: 'integration',
      setupFilesAfterEnv: ['<rootDir>/scripts/jest-integration.mjs'],
      testMatch: ['<rootDir>/tests/{integration,e2e}/**/*.test.ts'],
    },
  ],
};
