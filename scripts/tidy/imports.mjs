import { dirname, join } from 'node:path';
import { isTest, MAY_IMPORT, toGroup } from './repository.mjs';

/** Imports that break an arrow of the ground plan. `facts` are of every source file, `packages` of every package. */
export function findBrokenArrows(facts, packages) {
  const groupOf = new Map(packages.map(({ name, group }) => [name, group]));
  return facts.flatMap(({ path, imports }) => {
    const group = toGroup(path);
    if (group === undefined) return [];
    const own = packages.find(({ folder }) => path.startsWith(`${folder}/`))?.name;
    return imports.flatMap(({ specifier, line }) => {
      const name = toPackageName(specifier);
      const target = groupOf.get(name);
      if (target === undefined || name === own) return [];
      if (!MAY_IMPORT[group].includes(target)) return [`${path}:${line} ${group} imports ${name} of ${target}`];
      if (own === '@perennial/kernel') return [`${path}:${line} kernel imports ${name}`];
      return [];
    });
  });
}

function toPackageName(specifier) {
  const [scope, name] = specifier.split('/');
  return scope === '@perennial' ? `${scope}/${name}` : undefined;
}

/** Circles of files that import each other, type imports included; each as its members. */
export function findCircularFiles(facts) {
  const known = new Set(facts.map(({ path }) => path));
  const edges = new Map(
    facts.map(({ path, imports }) => [
      path,
      imports.map(({ specifier }) => toFile(path, specifier, known)).filter((target) => target !== undefined),
    ]),
  );
  return findCircles(edges);
}

/** Circles of packages by the imports of their sources; tests and kits may use a package that uses theirs. */
export function findCircularPackages(facts, packages) {
  const edges = new Map(packages.map(({ name }) => [name, []]));
  for (const { path, imports } of facts) {
    if (isTest(path) || path.includes('/testing/') || path.endsWith('-test-kit.ts')) continue;
    const own = packages.find(({ folder }) => path.startsWith(`${folder}/`))?.name;
    if (own === undefined) continue;
    for (const { specifier } of imports) {
      const name = toPackageName(specifier);
      if (name !== own && edges.has(name)) edges.get(own).push(name);
    }
  }
  return findCircles(edges);
}

function toFile(from, specifier, known) {
  if (!specifier.startsWith('.')) return undefined;
  const path = join(dirname(from), specifier);
  const candidates = [path, path.replace(/\.js$/, '.ts'), path.replace(/\.js$/, '.tsx')];
  return candidates.find((candidate) => known.has(candidate));
}

/** Strongly connected components of more than one node (Tarjan). */
function findCircles(edges) {
  const circles = [];
  const index = new Map();
  const low = new Map();
  const stack = [];
  function connect(node) {
    index.set(node, index.size);
    low.set(node, index.get(node));
    stack.push(node);
    for (const target of edges.get(node) ?? []) {
      if (!index.has(target)) {
        connect(target);
        low.set(node, Math.min(low.get(node), low.get(target)));
      } else if (stack.includes(target)) low.set(node, Math.min(low.get(node), index.get(target)));
    }
    if (low.get(node) !== index.get(node)) return;
    const members = stack.splice(stack.indexOf(node));
    if (members.length > 1) circles.push(members.sort());
  }
  for (const node of edges.keys()) if (!index.has(node)) connect(node);
  return circles.map((members) => members.join(' <-> '));
}
