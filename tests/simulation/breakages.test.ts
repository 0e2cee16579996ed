import { describe, expect, it } from '@jest/globals';
import { BREAKAGES, runSeeds, toSeedReport } from '@perennial/keyed-processor/testing';

/*
 * The test of the tests: each rule of the heart, broken, must show within so many worlds, and the unbroken code must pass
 * these same worlds. docs/RELIABILITY.md says what each would do. The owner check has a test of its own
 * (no-owner-check.test.ts): the offset check covers for it in thousands of worlds.
 */

const SEEDS_MAX = 1500;
const TIMEOUT_MS = 240_000;

/** Where the search begins: rare ones begin near the first world that shows them, so that the test does not take minutes. */
const FIRST_SEEDS: Readonly<Record<string, number>> = {
  'unfenced reads': 130,
  'snapshot ended while something is unpublished': 1900,
};
const SHOWN_ELSEWHERE = 'no owner check';

describe('a broken rule shows', () => {
  it.each(BREAKAGES.map(({ name }) => name).filter((name) => name !== SHOWN_ELSEWHERE))(
    '%s',
    async (name) => {
      const breakage = BREAKAGES.find((known) => known.name === name);
      if (breakage === undefined) throw new Error(`no such breakage: ${name}`);
      const first = FIRST_SEEDS[name] ?? 1;
      const broken = await runSeeds({ first, count: SEEDS_MAX, breakage });
      expect(broken.failures).toHaveLength(1);
      const whole = await runSeeds({ first, count: broken.seeds });
      expect(whole.failures.map(toSeedReport)).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
