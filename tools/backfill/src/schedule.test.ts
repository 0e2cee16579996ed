import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type BackfillStep, countTicks, findFirstAfter, type ScheduleInput, toSteps, toTickCalls } from './schedule.js';

const HOUR = 3_600_000;

describe('toSteps', () => {
  it('begins an hour before the first event and ends with the hour at or after the last', () => {
    expect(steps([2.5 * HOUR, 3 * HOUR, 7.25 * HOUR])).toEqual([
      { kind: 'tick', timeMs: 2 * HOUR },
      { kind: 'send', from: 0, to: 2 },
      { kind: 'tick', timeMs: 7 * HOUR },
      { kind: 'send', from: 2, to: 3 },
      { kind: 'tick', timeMs: 8 * HOUR },
    ]);
  });

  it('stops exactly at the time given, which is included, and goes on from there', () => {
    const times = [1.25 * HOUR, 1.5 * HOUR, 1.75 * HOUR];
    expect(steps(times, { untilMs: 1.5 * HOUR })).toEqual([
      { kind: 'tick', timeMs: HOUR },
      { kind: 'send', from: 0, to: 2 },
      { kind: 'tick', timeMs: 1.5 * HOUR },
    ]);
    expect(steps(times, { reachedMs: 1.5 * HOUR })).toEqual([
      { kind: 'send', from: 2, to: 3 },
      { kind: 'tick', timeMs: 2 * HOUR },
    ]);
  });

  it('lets time go on after the last event when asked to, and has nothing to do a second time', () => {
    expect(steps([HOUR], { reachedMs: HOUR, untilMs: 5.5 * HOUR })).toEqual([{ kind: 'tick', timeMs: 5.5 * HOUR }]);
    expect(steps([HOUR], { reachedMs: HOUR })).toEqual([]);
    expect(steps([HOUR], { reachedMs: 5 * HOUR, untilMs: 3 * HOUR })).toEqual([]);
    expect(steps([5 * HOUR], { untilMs: HOUR })).toEqual([]);
    expect(steps([])).toEqual([]);
  });

  const arbitraryTimes = fc
    .array(fc.integer({ min: HOUR, max: 80 * HOUR }), { maxLength: 40 })
    .map((times) => times.sort((a, b) => a - b));
  const arbitraryUntil = fc.option(fc.integer({ min: HOUR, max: 90 * HOUR }), { nil: undefined });

  it('sends each event once, before any tick at or after it within its hour, after every tick before it', () => {
    fc.assert(
      fc.property(arbitraryTimes, arbitraryUntil, (times, untilMs) => {
        let timeMs = -1;
        let next = 0;
        for (const step of steps(times, { untilMs })) {
          if (step.kind === 'tick') {
            expect(step.timeMs).toBeGreaterThan(timeMs);
            // Everything up to the tick is sent.
            expect(times.slice(next).every((time) => time > step.timeMs)).toBe(true);
            timeMs = step.timeMs;
          } else {
            expect(step.from).toBe(next);
            next = step.to;
            // Log time is less than an hour behind these events, so timers fire when they would have.
            for (const time of times.slice(step.from, step.to)) {
              expect(time).toBeGreaterThan(timeMs);
              expect(time - timeMs).toBeLessThanOrEqual(HOUR);
            }
          }
        }
        expect(next).toBe(times.filter((time) => untilMs === undefined || time <= untilMs).length);
        if (next > 0) expect(timeMs).toBe(untilMs ?? Math.ceil((times.at(-1) ?? 0) / HOUR) * HOUR);
      }),
    );
  });

  it('is the same whether it is interrupted after any tick or not', () => {
    fc.assert(
      fc.property(arbitraryTimes, fc.nat(), (times, cut) => {
        const all = steps(times);
        const ticks = all.flatMap((step, index) => (step.kind === 'tick' ? [index] : []));
        const stop = ticks[cut % Math.max(1, ticks.length)];
        const last = stop === undefined ? undefined : all[stop];
        if (stop === undefined || last?.kind !== 'tick') return;
        expect([...all.slice(0, stop + 1), ...steps(times, { reachedMs: last.timeMs })]).toEqual(all);
      }),
    );
  });
});

describe('ticks', () => {
  it('are counted on the hours, and at the end', () => {
    expect(countTicks(undefined, 5 * HOUR)).toBe(1);
    expect(countTicks(5 * HOUR, 8 * HOUR)).toBe(3);
    expect(countTicks(5 * HOUR, 7.5 * HOUR)).toBe(3);
    expect(countTicks(7.5 * HOUR, 8 * HOUR)).toBe(1);
    expect(countTicks(8 * HOUR, 8 * HOUR)).toBe(0);
  });

  it('of a long way are asked for in pieces that add up', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9000 * HOUR }), fc.integer({ min: 0, max: 9000 * HOUR }), (a, b) => {
        const [from, to] = a < b ? [a, b] : [b, a];
        const calls = [...toTickCalls(from, to)];
        expect(calls.at(-1)).toBe(to);
        const counts = calls.map((call, index) => countTicks(calls[index - 1] ?? from, call));
        expect(Math.max(...counts)).toBeLessThanOrEqual(744);
        expect(calls.slice(0, -1).every((call) => call % HOUR === 0)).toBe(true);
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(countTicks(from, to));
      }),
    );
  });
});

describe('findFirstAfter', () => {
  it('agrees with a search from the front', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), fc.nat(22), (unsorted, time) => {
        const times = unsorted.sort((a, b) => a - b);
        const found = times.findIndex((value) => value > time);
        expect(findFirstAfter(toInput(times), time)).toBe(found < 0 ? times.length : found);
      }),
    );
  });
});

function steps(times: readonly number[], bounds: Pick<ScheduleInput, 'reachedMs' | 'untilMs'> = {}): BackfillStep[] {
  return [...toSteps({ ...toInput(times), ...bounds })];
}

function toInput(times: readonly number[]): Pick<ScheduleInput, 'length' | 'timestampMs'> {
  return { length: times.length, timestampMs: (index) => times[index] ?? Number.NaN };
}
