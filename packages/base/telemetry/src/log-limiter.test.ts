import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LogLimiter, type LogLimits } from './log-limiter.js';

const LIMITS: LogLimits = { intervalMs: 100, equalLinesMax: 2, linesMax: 5, kindsMax: 4 };

function setUp(limits = LIMITS) {
  const at = { ms: 0 };
  const summaries: Array<{ last: string; count: number }> = [];
  const timers: Array<{ atMs: number; run: () => void }> = [];
  const limiter = new LogLimiter<string>({
    limits,
    nowMs: () => at.ms,
    schedule(ms, run) {
      const timer = { atMs: at.ms + ms, run };
      timers.push(timer);
      return { cancel: () => void timers.splice(timers.indexOf(timer), 1) };
    },
    writeSummary: (suppressed) => summaries.push(suppressed),
  });
  const pass = (ms: number) => {
    at.ms += ms;
    for (const timer of timers.filter(({ atMs }) => atMs <= at.ms)) {
      timers.splice(timers.indexOf(timer), 1);
      timer.run();
    }
  };
  return { limiter, summaries, pass };
}

describe('a limited log', () => {
  it('writes or counts every line, and no more than the limits in an interval', () => {
    const call = fc.record({
      kind: fc.integer({ min: 0, max: 9 }).map(String),
      afterMs: fc.integer({ min: 0, max: 60 }),
    });
    fc.assert(
      fc.property(fc.array(call, { maxLength: 200 }), (calls) => {
        const { limiter, summaries, pass } = setUp();
        let written = 0;
        for (const { kind, afterMs } of calls) {
          pass(afterMs);
          if (limiter.admit(kind, kind)) written++;
        }
        limiter.flush();
        expect(written + summaries.reduce((sum, { count }) => sum + count, 0)).toBe(calls.length);
        const spanMs = calls.reduce((sum, { afterMs }) => sum + afterMs, 0);
        const intervals = Math.floor(spanMs / LIMITS.intervalMs) + 1;
        expect(written).toBeLessThanOrEqual(intervals * LIMITS.linesMax);
        expect(summaries.length).toBeLessThanOrEqual(intervals * (LIMITS.kindsMax + 1));
      }),
    );
  });

  it('says how many were left out at the end of the interval, though no line follows', () => {
    const { limiter, summaries, pass } = setUp();
    const admitted = ['a', 'b', 'c', 'd'].map((line) => limiter.admit('same', line));
    expect(admitted).toEqual([true, true, false, false]);
    expect(summaries).toEqual([]);
    pass(LIMITS.intervalMs);
    expect(summaries).toEqual([{ last: 'd', count: 2 }]);
    expect(limiter.admit('same', 'e')).toBe(true);
    pass(LIMITS.intervalMs);
    expect(summaries).toHaveLength(1);
  });

  it('keeps a flood of kinds within the lines of an interval and within memory', () => {
    const { limiter, summaries } = setUp();
    const admitted = Array.from({ length: 1_000 }, (_, i) => limiter.admit(`kind ${i}`, `${i}`)).filter(Boolean);
    expect(admitted).toHaveLength(LIMITS.linesMax);
    limiter.flush();
    expect(summaries.reduce((sum, { count }) => sum + count, 0)).toBe(1_000 - LIMITS.linesMax);
    expect(summaries.length).toBeLessThanOrEqual(LIMITS.kindsMax + 1);
  });
});
