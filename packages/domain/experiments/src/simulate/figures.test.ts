import { beforeAll, describe, expect, it } from '@jest/globals';
import { type Figures, simulateFigures } from './figures.js';

const SEED = 3;
const RUNS = 2_000;
const ALPHA = 0.05;
/** How far chance moves a share of this many runs: three standard errors at 80 %. */
const CHANCE = 3 * Math.sqrt((0.8 * 0.2) / RUNS);

describe('30 looks, in worlds whose truth is known', () => {
  let figures: Figures;
  beforeAll(() => {
    figures = simulateFigures({ seed: SEED, runs: RUNS });
    process.stdout.write(`${JSON.stringify(figures)}\n`);
  });

  it('give at most 5 % false alarms; a plain z test more than a quarter', () => {
    expect(figures.same.significant).toBeLessThanOrEqual(ALPHA);
    expect(figures.same.coverage).toBeGreaterThanOrEqual(1 - ALPHA);
    expect(figures.same.plainSignificant).toBeGreaterThan(0.25);
    expect(Math.abs(figures.same.plainSignificant - figures.computed.plain)).toBeLessThan(CHANCE);
    expect(figures.computed.sequence).toBeLessThanOrEqual(ALPHA);
  });

  it('hold for few conversions', () => {
    expect(figures.few.coverage).toBeGreaterThanOrEqual(1 - ALPHA);
    expect(figures.few.significant).toBeLessThanOrEqual(ALPHA);
  });

  it('find a difference with the power that was planned for it', () => {
    expect(Math.abs(figures.different.significant - 0.8)).toBeLessThan(CHANCE);
    expect(figures.different.coverage).toBeGreaterThanOrEqual(1 - ALPHA);
  });

  it('hold for revenue, as it is and by CUPED, which takes out variance', () => {
    const { revenue } = figures;
    expect(Math.min(revenue.coverage, revenue.adjustedCoverage)).toBeGreaterThanOrEqual(1 - ALPHA);
    expect(revenue.unbalanced).toBeLessThanOrEqual(ALPHA);
    expect(revenue.varianceReduction).toBeGreaterThan(0.05);
  });

  it('hold for the sizes of arms, looked at after each person; a mismatch is found', () => {
    expect(figures.sizes.falseAlarms).toBeLessThanOrEqual(ALPHA);
    expect(figures.sizes.found).toBeGreaterThan(0.9);
  });

  it('hold for the same persons, dealt by the assignment itself', () => {
    expect(figures.sameArms.falseAlarms).toBeLessThanOrEqual(ALPHA);
    expect(figures.sameArms.ratioAlarms).toBeLessThanOrEqual(ALPHA);
  });
});
