import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');

/** What each group may import, itself included. `packages/README.md` is the map, docs/ARCHITECTURE.md the drawing. */
export const MAY_IMPORT = {
  base: ['base'],
  io: ['base', 'io'],
  stream: ['base', 'io', 'stream'],
  domain: ['base', 'domain'],
  services: ['base', 'io', 'stream', 'domain'],
  connectors: ['base', 'io', 'stream', 'domain'],
  tools: ['base', 'io', 'stream', 'domain', 'services', 'tools'],
  tests: ['base', 'io', 'stream', 'domain', 'services', 'tools'],
};

/** Every file of the work tree that git does not ignore, as a path from the root. */
export function listFiles() {
  const output = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 * 1_048_576,
  });
  return [...new Set(output.split('\n'))].filter((path) => path !== '' && existsSync(join(ROOT, path))).sort();
}

export function readText(path) {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Every package, service and tool: npm name, folder, and the group by its folder; undefined for no group. */
export function listPackages(files) {
  return files
    .filter((path) => path.endsWith('/package.json') && path !== 'package.json')
    .map((path) => {
      const folder = dirname(path);
      return { name: JSON.parse(readText(path)).name, folder, group: toGroup(folder) };
    });
}

/** `io` of `packages/io/kafka`, `services` of `services/action`. */
export function toGroup(path) {
  const [first, second] = path.split('/');
  const group = first === 'packages' ? second : first;
  return Object.hasOwn(MAY_IMPORT, group) ? group : undefined;
}

/** Hand-written TypeScript and JavaScript: no generated code. */
export function isSource(path) {
  return /\.(ts|tsx|mjs|cjs)$/.test(path) && !path.includes('/generated/') && !path.endsWith('.d.ts');
}

export const isTest = (path) => /\.test\.(ts|tsx|mjs)$/.test(path) || path.startsWith('tests/');
