import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

// Here, since a test's own environment is a copy that no library sees: ONNX Runtime would send its maker events of every test run.
process.env.ORT_DISABLE_TELEMETRY ??= '1';

const root = import.meta.dirname;
const esmOnly = ['@marcbachmann/cel-js', 'ts-proto', '@segment', 'csv-parse', 'cookie', 'hyparquet', 'zstddec'];

/** Workspace packages from their sources: an npm name does not tell the group that a package lies in. */
const packages = Object.fromEntries(
  [...['base', 'io', 'stream', 'domain'].map((group) => `packages/${group}`), 'tools'].flatMap((group) =>
    readdirSync(join(root, group)).flatMap((name) => [
      [`^@perennial/${name}$`, `<rootDir>/${group}/${name}/src/index.ts`],
      // Kits lie beside `src`, in a project of their own, so that no `dist` and no image has them.
      ...(existsSync(join(root, group, name, 'testing'))
        ? [
            [`^@perennial/${name}/testing$`, `<rootDir>/${group}/${name}/testing/index.ts`],
            [`^@perennial/${name}/(contract-suite|odd-batches)$`, `<rootDir>/${group}/${name}/testing/$1.ts`],
          ]
        : [[`^@perennial/${name}/(testing|contract-suite)$`, `<rootDir>/${group}/${name}/src/$1.ts`]]),
      [`^@perennial/${name}/internals$`, `<rootDir>/${group}/${name}/src/internals.ts`],
    ]),
  ),
);

const services = Object.fromEntries(
  readdirSync(join(root, 'services')).map((name) => [
    `^@perennial/service-${name}$`,
    `<rootDir>/services/${name}/src/index.ts`,
  ]),
);

/** Shared by all projects: TypeScript through swc as CommonJS, workspace packages from their sources. */
const base = {
  rootDir: root,
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
    ...services,
    ...packages,
  },
  modulePathIgnorePatterns: ['<rootDir>/.*/dist/', '<rootDir>/.perennial/'],
};

/** Tests that compile or check copies of the whole tree: half a minute for two files. */
const TREE = ['<rootDir>/scripts/check-contracts.test.mjs', '<rootDir>/scripts/recipes.test.mjs'];

export default {
  // Jest leaves one core idle unless configured otherwise, which on two cores is half the machine.
  maxWorkers: '100%',
  // A hang is still found. In a whole run unit tests lie beside the integration tests, which may take nearly all of the machine.
  testTimeout: 240_000,
  projects: [
    {
      ...base,
      displayName: 'unit',
      testMatch: [
        '<rootDir>/{packages/*,services,tools}/*/{src,testing}/**/*.test.ts',
        '<rootDir>/scripts/**/*.test.mjs',
      ],
      testPathIgnorePatterns: ['/node_modules/', '<rootDir>/tools/simulation/', ...TREE],
    },
    { ...base, displayName: 'tree', testMatch: TREE },
    {
      ...base,
      displayName: 'simulation',
      testMatch: ['<rootDir>/{tests,tools}/simulation/**/*.test.ts'],
    },
    { ...base, displayName: 'fuzz', testMatch: ['<rootDir>/tests/fuzz/**/*.test.ts'] },
    {
      ...base,
      displayName: 'integration',
      setupFilesAfterEnv: ['<rootDir>/scripts/jest-integration.mjs'],
      testMatch: ['<rootDir>/tests/{integration,e2e}/**/*.test.ts'],
    },
  ],
};
