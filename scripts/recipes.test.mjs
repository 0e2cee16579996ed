import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'perennial-recipes-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The blocks of TypeScript in CONTRIBUTING.md, by the heading above each. */
function readRecipes() {
  const text = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');
  const recipes = [];
  let heading = '';
  for (const [, title, code] of text.matchAll(/^### (.+)$|^```ts\n([\s\S]*?)^```$/gm)) {
    if (title !== undefined) heading = title;
    else recipes.push([heading, code]);
  }
  return recipes;
}

/** Workspace packages by name, as built: what a new package of the workspace would import. */
function toPaths() {
  const groups = ['packages/base', 'packages/io', 'packages/stream', 'packages/domain'];
  const packages = groups.flatMap((group) =>
    readdirSync(join(root, group)).map((name) => [name, join(root, group, name)]),
  );
  return Object.fromEntries(packages.map(([name, path]) => [`@perennial/${name}`, [join(path, 'dist/index.d.ts')]]));
}

function compile(recipes) {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.base.json'), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const files = recipes.map(([, code], index) => {
    const path = join(folder, `recipe-${index}.mts`);
    writeFileSync(path, code);
    return path;
  });
  const program = ts.createProgram(files, {
    ...options,
    composite: false,
    incremental: false,
    noEmit: true,
    paths: toPaths(),
    typeRoots: [join(root, 'node_modules/@types')],
  });
  return ts.getPreEmitDiagnostics(program).map((diagnostic) => {
    const recipe = recipes[files.indexOf(diagnostic.file?.fileName ?? '')];
    return `${recipe?.[0] ?? diagnostic.file?.fileName}: ${ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n')}`;
  });
}

describe('the recipes of CONTRIBUTING.md', () => {
  const recipes = readRecipes();

  it('are there, with code for all but the aggregation', () => {
    expect(recipes.map(([heading]) => heading)).toEqual(['A feature', 'A service', 'A connector', 'A route']);
  });

  it('compile against the packages as they are', () => {
    expect(compile(recipes)).toEqual([]);
  }, 60_000);

  it('would not compile with a mistake in them', () => {
    const [[heading, code]] = recipes;
    expect(compile([[heading, code.replace("'count'", "'cuont'")]])).toEqual([expect.stringContaining('A feature:')]);
  }, 60_000);
});
