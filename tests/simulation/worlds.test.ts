import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RULES, type RuleName, SeedPool, toSeedReport } from '@perennial/simulation';

/*
 * Runs worlds on every core, and tests the tests: each rule of the heart, once broken, must fail in the same worlds
 * that the unbroken code passes. docs/RELIABILITY.md lists the effect of each. The owner check has a test of its own
 * (no-owner-check.test.ts): the offset check covers for it in thousands of worlds.
 */

const WORLDS = 2400;
/** Worlds in which a broken rule is searched: one that rarely matters shows in one of thousands. */
const SEARCHED_WORLDS = 4800;
const PER_TEST = 200;
const TIMEOUT_MS = 240_000;

/** First world of the search: for rare failures near the first world that shows them, so that the test stays short. */
const FIRST_SEEDS: Readonly<Partial<Record<RuleName, number>>> = {
  'reads-not-fenced': 130,
  'snapshot-ended-while-unpublished': 2700,
};
const SHOWN_ELSEWHERE: RuleName = 'owner-not-checked';

let pool: SeedPool;

beforeAll(() => {
  pool = new SeedPool();
});

afterAll(() => pool.close());

describe('the heart in simulated worlds', () => {
  it.each(Array.from({ length: WORLDS / PER_TEST }, (_, i) => 1 + i * PER_TEST))(
    `comes to the same as without faults, in ${PER_TEST} of them from seed %i on`,
    async (first) => {
      const { seeds, failures } = await pool.run({ first, count: PER_TEST, failuresMax: 3 });
      expect(failures.map(toSeedReport)).toEqual([]);
      expect(seeds).toBe(PER_TEST);
    },
    TIMEOUT_MS,
  );
});

describe('a broken rule shows', () => {
  it.each(RULES.filter((name) => name !== SHOWN_ELSEWHERE))(
    '%s',
    async (mutant) => {
      const first = FIRST_SEEDS[mutant] ?? 1;
      const above = await pool.run({ first, count: SEARCHED_WORLDS - first + 1, mutant });
      // Any change of the heart changes them.
      const found = above.failures.length > 0 ? above : await pool.run({ first: 1, count: first - 1, mutant });
      expect(found.failures).toHaveLength(1);
      // The failure in that world comes from this rule, not from something else.
      expect(found.failures[0]?.broken).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );
});
