import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '../..');
const read = (path) => readFileSync(join(root, path), 'utf8');
const page = read('docs/SECURITY.md');
const findMissing = (names) => [...new Set(names)].filter((name) => !page.includes(`\`${name}\``));

/** TypeScript files of services and packages. */
function listSources(folder) {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !/node_modules|dist|\.test\.ts$/.test(path))
    .map((path) => join(folder, path));
}

describe('docs/SECURITY.md', () => {
  it('has every topic', () => {
    const names = [...read('packages/base/contracts/src/topics.ts').matchAll(/baseName: '([^']+)'/g)].map(
      ([, name]) => name,
    );
    expect(names.length).toBeGreaterThan(5);
    expect(findMissing(names)).toEqual([]);
  });

  it('has every table', () => {
    const texts = [...listSources('services'), ...listSources('packages')].map(read);
    const names = texts.flatMap((text) =>
      [...text.matchAll(/CREATE TABLE (?:IF NOT EXISTS )?([a-z_]+)/g)].map(([, name]) => name),
    );
    expect(names.length).toBeGreaterThan(5);
    expect(findMissing(names)).toEqual([]);
  });

  it('has every route', () => {
    const documents = readdirSync(join(root, 'proto/openapi')).map((file) => JSON.parse(read(`proto/openapi/${file}`)));
    const paths = documents.flatMap((document) => Object.keys(document.paths).map((path) => path.replace(/\/$/, '')));
    expect(paths.length).toBeGreaterThan(20);
    expect(findMissing(paths)).toEqual([]);
  });
});
