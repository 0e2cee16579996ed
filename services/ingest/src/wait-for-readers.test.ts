import { describe, expect, it } from '@jest/globals';
import { systemClock } from '@perennial/kernel';
import { waitForReaders } from './wait-for-readers.js';

/** Each wait takes as long as it says, at once. */
function createQuickClock() {
  let nowMs = 0;
  return {
    ...systemClock,
    steadyMs: () => nowMs,
    async wait(ms: number) {
      nowMs += ms;
    },
  };
}

describe('a rollout of rules about ids', () => {
  it('waits until every process of ingest reads by them', async () => {
    const behind = [['ingest-1', 'ingest-2'], ['ingest-2'], []];
    const asked: string[] = [];
    const listBehind = async (hash: string) => {
      asked.push(hash);
      return behind[asked.length - 1] ?? [];
    };
    await waitForReaders({ listBehind }, { hash: 'a', clock: createQuickClock() });
    expect(asked).toEqual(['a', 'a', 'a']);
  });

  it('names those that do not after a minute', async () => {
    const clock = createQuickClock();
    const waited = waitForReaders({ listBehind: async () => ['ingest-2'] }, { hash: 'a', clock });
    await expect(waited).rejects.toMatchObject({
      code: 'timeout',
      message:
        'the rules are in force, but after 60 s ingest-2 still reads ids by other rules: see the logs there, then do the same again',
    });
    expect(clock.steadyMs()).toBe(60_000);
  });
});
