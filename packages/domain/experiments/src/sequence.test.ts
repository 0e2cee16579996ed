import { describe, expect, it } from '@jest/globals';
import { toLogBeta, toNormalProbability, toNormalQuantile } from './normal.js';
import { toBetaBinomialInterval, toMixtureBoundary } from './sequence.js';

describe('normal and beta', () => {
  it.each([
    [0, 0.5],
    [1.959963984540054, 0.975],
    [-1.2815515655446004, 0.1],
    [4, 0.9999683287581669],
    [-8, 6.220960574271785e-16],
  ])('probability at %d', (z, p) => {
    expect(toNormalProbability(z) / p).toBeCloseTo(1, 10);
  });

  it('inverts', () => {
    for (const p of [0.001, 0.3, 0.5, 0.8, 0.9995]) expect(toNormalProbability(toNormalQuantile(p))).toBeCloseTo(p, 12);
  });

  it('knows beta functions of whole numbers', () => {
    // B(3, 4) = 2! 3! / 6!
    expect(toLogBeta(3, 4)).toBeCloseTo(Math.log(12 / 720), 10);
    expect(toLogBeta(1, 1_001)).toBeCloseTo(-Math.log(1_001), 9);
  });
});

describe('toMixtureBoundary', () => {
  const plan = { alpha: 0.05, plannedPersons: 1_000 };

  it('is narrowest, in standard errors of the mean, near the planned number, and wider than a z test everywhere', () => {
    const width = (persons: number) => toMixtureBoundary(persons, plan) / Math.sqrt(persons);
    expect(toMixtureBoundary(1_000, plan)).toBeCloseTo(3.035, 2);
    // A plan for another number is wider at this one.
    for (const plannedPersons of [100, 500, 2_000, 10_000]) {
      expect(toMixtureBoundary(1_000, { ...plan, plannedPersons })).toBeGreaterThan(toMixtureBoundary(1_000, plan));
    }
    for (const persons of [1, 10, 100, 1_000, 10_000, 1e6])
      expect(toMixtureBoundary(persons, plan)).toBeGreaterThan(1.96);
    expect(width(100_000)).toBeLessThan(width(10_000));
  });
});

describe('toBetaBinomialInterval', () => {
  it('holds all of [0, 1] before the first trial, and the estimate afterwards', () => {
    expect(toBetaBinomialInterval(0, 0, 0.05)).toEqual({ low: 0, high: 1 });
    const { low, high } = toBetaBinomialInterval(3, 40, 0.05);
    expect(low).toBeLessThan(3 / 40);
    expect(high).toBeGreaterThan(3 / 40);
    // With no success the martingale is 1 / ((n + 1) (1 - p)^n), which is 1 / alpha at the upper end:
    expect(toBetaBinomialInterval(0, 9, 0.05).high).toBeCloseTo(1 - (1 / 200) ** (1 / 9), 9);
    expect(toBetaBinomialInterval(40, 40, 0.05).high).toBe(1);
  });
});
