import { describe, it } from '@jest/globals';
import { expectNoFailures } from './expect-no-failures.js';

/* Two files, so that both cores of a small machine have work. */
const FIRST = 1201;
const COUNT = 1200;
const PER_TEST = 200;
const TIMEOUT_MS = 120_000;

describe('the heart in simulated worlds', () => {
  it.each(Array.from({ length: COUNT / PER_TEST }, (_, i) => FIRST + i * PER_TEST))(
    `comes to the same as without faults, in ${PER_TEST} of them from seed %i on`,
    (first) => expectNoFailures({ first, count: PER_TEST }),
    TIMEOUT_MS,
  );
});
