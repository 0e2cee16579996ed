import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { countTicks, planTicks } from './plan-ticks.js';

describe('planTicks', () => {
  it.each([
    [{ last: undefined, from: 0, to: 5, stepMs: 2 }, [0, 2, 4, 5]],
    [{ last: undefined, from: undefined, to: 5, stepMs: 2 }, [5]],
    [{ last: 3, from: 0, to: 8, stepMs: 2 }, [5, 7, 8]],
    [{ last: 8, from: undefined, to: 8, stepMs: 2 }, []],
    [{ last: 9, from: undefined, to: 8, stepMs: 2 }, []],
  ])('%j', (plan, expected) => {
    expect([...planTicks(plan)]).toEqual(expected);
  });

  it('goes forward in bounded steps, up to the end, as many as it counted', () => {
    const time = fc.integer({ min: 0, max: 1000 });
    const plans = fc.record({
      last: fc.option(time, { nil: undefined }),
      from: fc.option(time, { nil: undefined }),
      to: time,
      stepMs: fc.integer({ min: 1, max: 50 }),
    });
    fc.assert(
      fc.property(plans, (plan) => {
        const ticks = [...planTicks(plan)];
        if (plan.last !== undefined && plan.to <= plan.last) return ticks.length === 0;
        expect(ticks.length).toBe(countTicks(plan));
        expect(ticks.at(-1)).toBe(plan.to);
        const steps = [plan.last, ...ticks].filter((tick) => tick !== undefined);
        for (let i = 1; i < steps.length; i++) {
          const step = (steps[i] as number) - (steps[i - 1] as number);
          expect(step).toBeGreaterThan(0);
          expect(step).toBeLessThanOrEqual(plan.stepMs);
        }
        return true;
      }),
      { seed: 3 },
    );
  });
});
