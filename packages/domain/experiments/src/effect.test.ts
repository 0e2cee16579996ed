import { describe, expect, it } from '@jest/globals';
import { createSeededRandom } from '@perennial/kernel';
import { compareMeans, compareShares, toGuardrailState } from './effect.js';
import { compareEffects } from './interaction.js';
import { adjustByBefore, createMoments, toWinsorLimit } from './sample.js';

const PLAN = { alpha: 0.05, plannedPersons: 20_000 };

describe('compareShares', () => {
  it('is exact while counts are small, and asymptotic and narrower then', () => {
    const early = compareShares({ persons: 100, successes: 9 }, { persons: 100, successes: 3 }, PLAN);
    expect(early).toMatchObject({ estimate: 0.06, method: 'exact', isSignificant: false });
    const late = compareShares({ persons: 10_000, successes: 700 }, { persons: 10_000, successes: 500 }, PLAN);
    expect(late).toMatchObject({ method: 'asymptotic', isSignificant: true });
    expect(late.low).toBeGreaterThan(0.009);
    expect(late.high).toBeLessThan(0.031);
  });

  it('is significant early when the difference is great', () => {
    const great = compareShares({ persons: 60, successes: 55 }, { persons: 60, successes: 5 }, PLAN);
    expect(great).toMatchObject({ method: 'exact', isSignificant: true });
  });

  it('says nothing without persons', () => {
    const none = compareShares({ persons: 0, successes: 0 }, { persons: 0, successes: 0 }, PLAN);
    expect(none).toEqual({ estimate: 0, low: -1, high: 1, method: 'exact', isSignificant: false });
  });
});

describe('guardrails', () => {
  it('are breached, safe, or open', () => {
    const harm = (successes: number) =>
      compareShares({ persons: 20_000, successes }, { persons: 20_000, successes: 400 }, PLAN);
    expect(toGuardrailState(harm(800), 0.005)).toBe('breached');
    expect(toGuardrailState(harm(400), 0.01)).toBe('safe');
    expect(toGuardrailState(harm(450), 0.002)).toBe('open');
  });
});

function moments(rows: ReadonlyArray<readonly [value: number, before: number]>) {
  const found = createMoments();
  for (const [value, before] of rows) found.add(value, before);
  return found;
}

describe('moments and CUPED', () => {
  it('are those of the definition', () => {
    const found = moments([
      [1, 2],
      [3, 0],
      [8, 4],
    ]);
    expect(found.values()).toEqual({ persons: 3, mean: 4, variance: 13, nonZero: 3 });
    expect(found.before()).toEqual({ persons: 3, mean: 2, variance: 4, nonZero: 2 });
    expect(found.covariance()).toBeCloseTo(10, 12);
  });

  it('take out what the time before explains, and keep the difference', () => {
    const random = createSeededRandom(11);
    const draw = (lift: number) =>
      moments(
        Array.from({ length: 4_000 }, () => {
          const before = random();
          return [2 * before + 0.3 * random() + lift, before] as const;
        }),
      );
    const { samples, theta, varianceReduction } = adjustByBefore([draw(0.1), draw(0)]);
    expect(theta).toBeCloseTo(2, 1);
    expect(varianceReduction).toBeGreaterThan(0.95);
    const [arm, control] = samples;
    if (arm === undefined || control === undefined) throw new Error('two samples');
    expect(compareMeans(arm, control, PLAN)).toMatchObject({ isSignificant: true });
    expect(arm.mean - control.mean).toBeCloseTo(0.1, 2);
    // The variance from sums is that of the adjusted values.
    expect(arm.variance).toBeCloseTo(0.3 ** 2 / 12, 3);
  });

  it('change nothing where nothing was before', () => {
    const { samples, theta } = adjustByBefore([
      moments([
        [1, 0],
        [2, 0],
      ]),
      moments([[3, 0]]),
    ]);
    expect(theta).toBe(0);
    expect(samples.map(({ mean }) => mean)).toEqual([1.5, 3]);
  });

  it('have no interval before there are enough values', () => {
    const few = moments([
      [1, 0],
      [2, 0],
    ]).values();
    const [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    expect(compareMeans(few, few, PLAN)).toMatchObject({ method: 'too_few', low, high });
  });
});

describe('toWinsorLimit', () => {
  it('is a quantile of those above 0', () => {
    expect(toWinsorLimit([0, 0, 0, ...Array.from({ length: 100 }, (_, index) => index + 1)], 0.99)).toBe(99);
    expect(toWinsorLimit([0, 5], 0.99)).toBe(5);
    expect(toWinsorLimit([0], 0.99)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('compareEffects', () => {
  const cell = (mean: number) => ({ persons: 5_000, mean, variance: mean * (1 - mean), nonZero: 5_000 * mean });

  it('finds an effect that is there only with the other arm', () => {
    const found = compareEffects({ inFirst: [cell(0.3), cell(0.1)], inControl: [cell(0.1), cell(0.1)] }, PLAN);
    expect(found.estimate).toBeCloseTo(0.2, 12);
    expect(found.isSignificant).toBe(true);
  });

  it('finds none in effects that are the same, or of few persons', () => {
    const same = compareEffects({ inFirst: [cell(0.3), cell(0.2)], inControl: [cell(0.2), cell(0.1)] }, PLAN);
    expect(same.isSignificant).toBe(false);
    const few = { ...cell(0.9), persons: 5 };
    expect(compareEffects({ inFirst: [few, cell(0.1)], inControl: [few, few] }, PLAN).method).toBe('too_few');
  });

  it.each([0.0002, 0.019, 0.981])('says nothing of a cell with a share of %d, few of one kind', (share) => {
    const cells = { inFirst: [cell(0.2), cell(share)], inControl: [cell(0.1), cell(0.1)] } as const;
    const [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    expect(compareEffects(cells, PLAN)).toMatchObject({ method: 'too_few', low, high, isSignificant: false });
  });
});
