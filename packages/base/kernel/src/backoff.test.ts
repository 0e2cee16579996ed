import { describe, expect, it } from '@jest/globals';
import { retry, toBackoffMs } from './backoff.js';

const limits = { initialMs: 10, maxMs: 100 };
const clock = { now: () => 0, steadyMs: () => 0, wait: async () => {} };

describe('backoff', () => {
  it('doubles up to the maximum, with jitter in the upper half only', () => {
    expect([0, 1, 2, 3, 9].map((attempt) => toBackoffMs(attempt, limits, () => 1))).toEqual([10, 20, 40, 80, 100]);
    expect([0, 1, 2, 3, 9].map((attempt) => toBackoffMs(attempt, limits, () => 0))).toEqual([5, 10, 20, 40, 50]);
  });

  it('tries again until it works, reporting each retry', async () => {
    const reported: number[] = [];
    let calls = 0;
    const result = await retry(
      async () => {
        if (++calls < 4) throw new Error('away');
        return calls;
      },
      { ...limits, clock, onRetry: ({ attempt }) => reported.push(attempt) },
    );
    expect([result, reported]).toEqual([4, [0, 1, 2]]);
  });

  it.each([
    ['attempts run out', { attemptsMax: 3 }, 3],
    ['the error is not retriable', { isRetriable: () => false }, 1],
    ['the signal aborted', { signal: AbortSignal.abort() }, 1],
  ])('gives up when %s, with the last error', async (_why, options, calls) => {
    let made = 0;
    const failing = retry(
      async () => {
        made++;
        throw new Error(`failure ${made}`);
      },
      { ...limits, clock, ...options },
    );
    await expect(failing).rejects.toThrow(`failure ${calls}`);
  });
});
