import { MAY_IMPORT, readText } from './repository.mjs';

/** Packages without a group, a README or a line in the map. */
export function findUnmapped(packages, files) {
  const map = readText('packages/README.md');
  const known = new Set(files);
  return packages
    .filter(({ folder }) => folder !== 'tests')
    .flatMap(({ name, folder, group }) => {
      const problems = [];
      if (group === undefined) problems.push(`${name} (${folder}) is in no group`);
      if (!known.has(`${folder}/README.md`)) problems.push(`${name} has no README`);
      const link = folder.startsWith('packages/') ? folder.slice('packages/'.length) : `../${folder}`;
      if (!map.includes(`](${link}/README.md)`)) problems.push(`${name} is not on the map, packages/README.md`);
      return problems;
    });
}

/** Names missing from a rule of biome.json, or listed there without such a package. */
export function findLintGaps(packages) {
  const { overrides } = JSON.parse(readText('biome.json'));
  const groups = ['base', 'io', 'stream', 'domain', 'services', 'connectors'];
  return groups
    .filter((group) => packages.some((one) => one.group === group))
    .flatMap((group) => {
      const folder = group === 'services' || group === 'connectors' ? `${group}/**` : `packages/${group}/**`;
      const override = overrides.find(({ includes }) => includes.includes(folder));
      const patterns = override?.linter.rules.style.noRestrictedImports.options.patterns ?? [];
      const listed = new Set(
        patterns.flatMap((pattern) => pattern.group).filter((name) => /^@perennial\/[a-z-]+$/.test(name)),
      );
      const forbidden = packages
        .filter((candidate) => candidate.group !== 'tests' && !MAY_IMPORT[group].includes(candidate.group))
        .map(({ name }) => name);
      return [
        ...forbidden.filter((name) => !listed.has(name)).map((name) => `biome.json: ${folder} may import ${name}`),
        ...[...listed]
          .filter((name) => !forbidden.includes(name))
          .map((name) => `biome.json: ${folder} names ${name} in vain`),
      ];
    });
}

/** Projects missing from the root build, or from the type check of unit tests. */
export function findUnbuilt(files) {
  const projects = files
    .filter((path) => /^(packages|services|tools)\/.*tsconfig\.json$/.test(path) || path === 'tests/tsconfig.json')
    .map((path) => path.replace(/\/tsconfig\.json$/, ''));
  return [
    ['tsconfig.json', projects],
    ['tsconfig.unit.json', projects.filter((path) => path !== 'tests')],
  ].flatMap(([file, wanted]) => {
    const built = new Set(JSON.parse(readText(file)).references.map(({ path }) => path));
    return wanted.filter((path) => !built.has(path)).map((path) => `${file} does not reference ${path}`);
  });
}
