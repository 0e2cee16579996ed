import { describe, it } from '@jest/globals';
import { expectNoFailures } from './expect-no-failures.js';

const COUNT = 1200;
const PER_TEST = 200;
const TIMEOUT_MS = 120_000;

/** Half of the worlds: two files, so that both cores of a small machine have work. */
export function describeWorlds({ first }: { first: number }): void {
  describe('the heart in simulated worlds', () => {
    it.each(Array.from({ length: COUNT / PER_TEST }, (_, i) => first + i * PER_TEST))(
      `comes to the same as without faults, in ${PER_TEST} of them from seed %i on`,
      (seed) => expectNoFailures({ first: seed, count: PER_TEST }),
      TIMEOUT_MS,
    );
  });
}
