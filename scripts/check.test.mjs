import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { chooseBase, toRounds } from './check.mjs';

const namesOf = (rounds) => rounds.map((round) => round.map(({ name }) => name));

describe('pnpm check', () => {
  it('runs the unit tests that changes can reach, and the tidy test always', () => {
    const rounds = toRounds({ since: 'main', all: false });
    expect(namesOf(rounds)).toEqual([
      ['types', 'lint'],
      ['contracts', 'tidy', 'unit tests of what changed since main'],
    ]);
  });

  it('runs every unit test when it is asked to, which the tidy test is one of', () => {
    expect(namesOf(toRounds({ since: undefined, all: true }))[1]).toEqual(['contracts', 'unit tests']);
  });

  it.each([
    ['what was asked for', 'v1', ['v1', 'main'], 'v1'],
    ['the main branch', undefined, ['main', 'origin/main'], 'main'],
    ['that of the origin, in a clone of another branch', undefined, ['origin/main'], 'origin/main'],
    ['nothing, where neither is known', undefined, [], undefined],
  ])('looks for changes since %s', (_what, asked, known, base) => {
    expect(chooseBase(asked, (ref) => known.includes(ref))).toBe(base);
  });

  it('says which commit it does not know, before it runs anything', () => {
    const script = join(import.meta.dirname, 'check.mjs');
    const { status, stderr } = spawnSync(process.execPath, [script, '--since', 'no-such-ref'], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 2, stderr: 'check: git knows no no-such-ref\n' });
  });
});
