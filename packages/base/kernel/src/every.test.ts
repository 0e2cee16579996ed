import { describe, expect, it } from '@jest/globals';
import type { Clock } from './clock.js';
import { every } from './every.js';

/** A clock that advances only in waits, with at most `waitsMax` of them. */
function createCountingClock(waitsMax: number) {
  const waits: number[] = [];
  let nowMs = 0;
  const clock: Clock = {
    now: () => nowMs,
    steadyMs: () => nowMs,
    wait(ms, signal) {
      waits.push(ms);
      if (waits.length <= waitsMax) nowMs += ms;
      if (waits.length <= waitsMax || signal?.aborted) return Promise.resolve();
      return new Promise((resolve) => signal?.addEventListener('abort', () => resolve()));
    },
  };
  const spend = (ms: number) => {
    nowMs += ms;
  };
  return { clock, waits, spend };
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('every', () => {
  it('works after each interval, one at a time, whatever fails, until it is stopped', async () => {
    const { clock, waits } = createCountingClock(3);
    const errors: unknown[] = [];
    let done = 0;
    const interval = every({ intervalMs: 50, clock, onError: (error) => errors.push(error) }, async () => {
      if (++done === 2) throw new Error('failed');
    });
    await settle();
    await interval.stop();
    expect([done, waits]).toEqual([3, [50, 50, 50, 50]]);
    expect(errors).toEqual([new Error('failed')]);
  });

  it('works at once where it is asked to', async () => {
    const { clock, waits } = createCountingClock(0);
    let done = 0;
    const interval = every({ intervalMs: 50, clock, onError: () => undefined, immediately: true }, async () => {
      done++;
    });
    await settle();
    await interval.stop();
    expect([done, waits]).toEqual([1, [50]]);
  });

  it('keeps the pace, and rests a little when the work takes longer than the interval', async () => {
    const { clock, waits, spend } = createCountingClock(2);
    const took = [20, 80];
    const interval = every({ intervalMs: 50, clock, onError: () => undefined, paced: true }, async () => {
      spend(took.shift() ?? 0);
    });
    await settle();
    await interval.stop();
    expect(waits).toEqual([50, 30, 1]);
  });

  it('waits for the work that is under way when it is stopped', async () => {
    const { clock } = createCountingClock(1);
    let finish: () => void = () => undefined;
    let ended = false;
    const interval = every({ intervalMs: 50, clock, onError: () => undefined }, async () => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      ended = true;
    });
    await settle();
    const stopping = interval.stop();
    finish();
    await stopping;
    expect(ended).toBe(true);
  });
});
