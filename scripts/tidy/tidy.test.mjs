import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import * as exceptions from './exceptions.mjs';
import { findBrokenArrows, findCircularFiles, findCircularPackages } from './imports.mjs';
import { findLintGaps, findUnbuilt, findUnmapped } from './map.mjs';
import { findMissingPaths, withoutBlocks } from './named-paths.mjs';
import { isSource, isTest, listFiles, listPackages, ROOT, readText } from './repository.mjs';
import { readFacts } from './source-facts.mjs';
import { findBannedNames, findBannedWords } from './words.mjs';

const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 70;

const files = listFiles();
const packages = listPackages(files);
const facts = files.filter(isSource).map((path) => readFacts(path, readText(path)));
const pages = files.filter((path) => path.endsWith('.md'));

/** Problems without the excepted ones; an exception that is no longer needed is a problem too. */
function except(found, allowed) {
  const needed = new Set();
  const rest = found.filter((problem) => {
    const match = Object.keys(allowed).find((pattern) => problem.includes(pattern));
    if (match !== undefined) needed.add(match);
    return match === undefined;
  });
  const stale = Object.keys(allowed).filter((pattern) => !needed.has(pattern));
  return [...rest, ...stale.map((pattern) => `exceptions.mjs: nothing needs the exception ${pattern}`)];
}

describe('the ground plan', () => {
  it('has every package in a group, on the map and with a README', () => {
    expect(findUnmapped(packages, files)).toEqual([]);
  });

  it('is what lint holds, and what is built', () => {
    expect([...findLintGaps(packages), ...findUnbuilt(files)]).toEqual([]);
  });

  it('has arrows that run one way', () => {
    expect(findBrokenArrows(facts, packages)).toEqual([]);
  });

  it('has no circle, of types neither', () => {
    expect(except([...findCircularPackages(facts, packages), ...findCircularFiles(facts)], exceptions.CIRCLES)).toEqual(
      [],
    );
  });

  it('has no import by a computed path, which no rule could see', () => {
    const found = facts.flatMap(({ path, computedImports }) => computedImports.map(({ line }) => `${path}:${line}`));
    expect(except(found, exceptions.COMPUTED_IMPORTS)).toEqual([]);
  });
});

describe('sources', () => {
  it(`have at most ${FILE_LINES_MAX} lines a file`, () => {
    const long = facts
      .filter(({ lines }) => lines > FILE_LINES_MAX)
      .map(({ path, lines }) => `${path}: ${lines} lines`);
    expect(except(long, exceptions.LONG_FILES)).toEqual([]);
  });

  it(`have at most ${FUNCTION_LINES_MAX} lines a function`, () => {
    const long = facts
      .filter(({ path }) => !/contract/.test(path) || !/testing\//.test(path))
      .flatMap(({ path, functions }) =>
        functions
          .filter(({ lines }) => lines > FUNCTION_LINES_MAX)
          .map(({ name, line, lines }) => `${path}:${line} ${name}: ${lines} lines`),
      );
    expect(except(long, exceptions.LONG_FUNCTIONS)).toEqual([]);
  });

  it('export nothing, and depend on nothing, that nobody uses', () => {
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      [join(ROOT, 'node_modules/knip/bin/knip.js'), '--no-progress', '--reporter', 'json'],
      { cwd: ROOT, encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } },
    );
    expect({ stderr, failed: status !== 0 && status !== 1 }).toEqual({ stderr: '', failed: false });
    expect(except(toIssues(JSON.parse(stdout)), exceptions.UNUSED)).toEqual([]);
  });
});

function toIssues({ issues }) {
  return issues.flatMap(({ file, ...kinds }) =>
    Object.entries(kinds).flatMap(([kind, found]) =>
      (Array.isArray(found) ? found : []).map(({ name }) => `${file}: ${kind} ${name}`),
    ),
  );
}

describe('pages', () => {
  it('name files and folders that exist', () => {
    const lost = pages.flatMap((page) => findMissingPaths(page, files));
    expect(except(lost, exceptions.MISSING_PATHS)).toEqual([]);
  });
});

describe('words', () => {
  it('are those of docs/GLOSSARY.md, in pages, comments, log messages and the help of commands', () => {
    const texts = [
      ...pages.flatMap((path) =>
        withoutBlocks(readText(path))
          .split('\n')
          .map((text, index) => ({ where: 'docs', path, line: index + 1, text })),
      ),
      ...facts
        .filter(({ path }) => !path.startsWith('scripts/tidy/'))
        .flatMap(({ path, comments }) => comments.map((comment) => ({ where: 'comments', path, ...comment }))),
      ...facts
        .filter(({ path }) => !isTest(path))
        .flatMap(({ path, logs, texts: quoted }) => [
          ...logs.map((log) => ({ where: 'logs', path, ...log })),
          ...(path.startsWith('tools/cli/src/') ? quoted.map((text) => ({ where: 'help', path, ...text })) : []),
        ]),
    ];
    expect(except(findBannedWords(texts), exceptions.WORDS)).toEqual([]);
  });

  it('have the same meaning in names of the code', () => {
    const own = facts.filter(({ path }) => !path.startsWith('scripts/tidy/') && !path.includes('/generated/'));
    expect(except(findBannedNames(own), exceptions.NAMES)).toEqual([]);
  });
});
