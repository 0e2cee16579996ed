import { describe, expect, it } from '@jest/globals';
import { fuzz, TARGETS } from '@perennial/fuzz';
import { createSeededRandom } from '@perennial/kernel';

/* About a minute in all; `./perennial fuzz --minutes 480` runs for a night. */

const CASES = 1_200;
/** Fewer of what takes ten milliseconds a case. */
const CASES_OF: Readonly<Record<string, number>> = { identities: 100, reports: 400 };
const TIMEOUT_MS = 240_000;
/** Other cases each day, the same on one day: a failure can be seen again from what it prints. */
const FIRST = 1 + Math.floor(createSeededRandom(Math.floor(Date.now() / 86_400_000))() * 2 ** 30);

describe('inputs of others', () => {
  it.each(Object.keys(TARGETS))(
    `are taken rightly or rejected with a true reason: %s, from seed ${FIRST} on`,
    async (target) => {
      const count = CASES_OF[target] ?? CASES;
      const { cases, failures } = await fuzz({ targets: [target], first: FIRST, count });
      expect(failures).toEqual([]);
      expect(cases).toEqual({ [target]: count });
    },
    TIMEOUT_MS,
  );
});
