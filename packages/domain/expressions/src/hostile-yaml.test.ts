import { describe, expect, it } from '@jest/globals';
import { integer, jsonObject, list, named, object, optional, parseYaml, text } from './index.js';
import { formatProblems } from './problem.js';

const SHAPE = object({
  version: integer({ min: 1, max: 1 }),
  strategies: optional(
    named(text({ lengthMax: 20 }), { pattern: /^[a-z]+$/, patternHint: 'letters', itemsMax: 64 }),
    new Map(),
  ),
  channels: optional(list(text({ lengthMax: 20 }), { itemsMax: 8 }), []),
  parameters: optional(jsonObject({ lengthMax: 1_000 }), {}),
});

function problemsOf(file: string): string[] {
  const parsed = parseYaml(file, SHAPE, { fileName: 'policy.yaml' });
  return parsed.ok ? [] : formatProblems(parsed.problems).split('\n');
}

function repeat(part: string, characters: number): string {
  return part.repeat(Math.floor(characters / part.length));
}

function toKeys(count: number): string {
  return Array.from({ length: count }, (_, i) => `key_${i}: 1`).join('\n');
}

function toMs(work: () => unknown): number {
  const began = performance.now();
  work();
  return performance.now() - began;
}

describe('a file with very many problems', () => {
  it('lists the first with their suggestions, and counts the others', () => {
    const keys = Array.from({ length: 5_000 }, (_, i) => `strategie${i}: {}`).join('\n');
    const problems = problemsOf(`version: 1\n${keys}`);
    expect(problems).toHaveLength(21);
    expect(problems[0]).toBe('policy.yaml:2:1: unknown key "strategie0", did you mean "strategies"?');
    expect(problems[20]).toBe('policy.yaml:22:1: and 4,980 more problems, the first of them here');
  });

  // A ratio, not an absolute time: ten times the keys took a hundred times as long before.
  it('takes time that grows with their number, not with its square', () => {
    const [few, many] = [toKeys(1_000), toKeys(10_000)];
    const times = Array.from({ length: 3 }, () => ({
      few: toMs(() => problemsOf(few)),
      many: toMs(() => problemsOf(many)),
    }));
    const ratio = Math.min(...times.map(({ many: ms }) => ms)) / Math.min(...times.map(({ few: ms }) => ms));
    expect(ratio).toBeLessThan(40);
  });
});

describe('a hostile file', () => {
  const FULL = 128 * 1024;
  it.each([
    ['flow lists', repeat('[', FULL), /policy\.yaml:/],
    ['flow mappings', repeat('{a: ', FULL), /policy\.yaml:/],
    ['dashes', repeat('- ', FULL), /nested too deeply|at most 32 levels/],
    ['explicit keys', repeat('? ', FULL), /nested too deeply|plain name|at most 32 levels/],
    ['a closed nest', `parameters: ${'['.repeat(200)}${']'.repeat(200)}`, /:1:44: at most 32 levels/],
    ['a nest of mappings in parameters', `parameters: ${'{a: '.repeat(40)}1${'}'.repeat(40)}`, /at most 32 levels/],
    ['one character too many', 'x'.repeat(FULL + 1), /131073 characters, 131072 at most/],
    ['brackets that close nothing', repeat(']', FULL), /more problems/],
    [
      'an alias bomb',
      'parameters:\n  a: &a [x, x]\n  b: &b [*a, *a]\n  c: &c [*b, *b]',
      /:3:10: aliases are not supported/,
    ],
    ['an alias of itself', 'parameters: &a { b: *a }', /aliases are not supported/],
    ['a duplicate key', 'version: 1\nversion: 1', /:2:1: the key "version" is there twice/],
    [
      'a duplicate key in free parameters',
      'version: 1\nparameters: { a: 1, a: 2 }',
      /:2:21: the key "a" is there twice/,
    ],
    ['a mapping as a key', 'version: 1\nparameters: { {a: 1}: 2 }', /a key must be a plain name/],
  ])('%s: is a problem with its line', (_, file, message) => {
    expect(problemsOf(file).join('\n')).toMatch(message);
  });
});
