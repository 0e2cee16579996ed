import { describe, expect, it } from '@jest/globals';
import type { Clock } from '@perennial/kernel';
import { type Exceeded, watchAnswer } from './cpu-watch.js';

/** A clock whose time passes only by `pass`, a look at a time. */
function createClock() {
  let nowMs = 0;
  let next: (() => void) | undefined;
  const clock: Clock = {
    now: () => nowMs,
    steadyMs: () => nowMs,
    wait: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        signal?.addEventListener('abort', () => resolve(), { once: true });
        next = () => {
          nowMs += ms;
          resolve();
        };
      }),
  };
  const pass = async () => {
    next?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { clock, pass };
}

const BUDGET = { cpuMsMax: Number.POSITIVE_INFINITY, answerMsMax: 250 };

describe('the watch over an answer', () => {
  it('reports once that none came in time, by the clock that it was given', async () => {
    const { clock, pass } = createClock();
    const reported: Exceeded[] = [];
    const stop = watchAnswer(process.pid, BUDGET, (exceeded) => reported.push(exceeded), clock);
    await pass();
    await pass();
    expect(reported).toEqual([]);
    await pass();
    await pass();
    expect(reported).toEqual([{ message: 'it gave no answer within 250 ms', isBusy: false }]);
    stop();
  });

  it('reports nothing once it was stopped', async () => {
    const { clock, pass } = createClock();
    const reported: Exceeded[] = [];
    const stop = watchAnswer(process.pid, BUDGET, (exceeded) => reported.push(exceeded), clock);
    await pass();
    expect(stop()).toBeGreaterThanOrEqual(0);
    for (let look = 0; look < 5; look++) await pass();
    expect(reported).toEqual([]);
  });
});
