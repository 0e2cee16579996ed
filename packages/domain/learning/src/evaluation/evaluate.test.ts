import { describe, expect, it } from '@jest/globals';
import { drawLog, OPTIONS, TRUTH, targetPolicy } from './bandit-test-kit.js';
import { evaluate, type Figures } from './evaluate.js';
import type { LoggedRow } from './row.js';

const RUNS = 400;
/** How far chance moves the coverage of this many runs: three standard errors at 95 %. */
const CHANCE = 3 * Math.sqrt((0.95 * 0.05) / RUNS);
const ESTIMATORS = ['ips', 'snips', 'dr'] as const;

function toFigures(rows: readonly LoggedRow[], threshold?: number): Figures {
  const { figures } = evaluate(rows, targetPolicy, { options: OPTIONS, threshold });
  if (figures === undefined) throw new Error('no figures');
  return figures;
}

describe('evaluate, in worlds whose truth is known', () => {
  const runs = Array.from({ length: RUNS }, (_, seed) => toFigures(drawLog({ seed, rows: 600 }), 3));

  it.each(ESTIMATORS)('%s: the 95 %% interval has the truth in 95 %% of the logs', (name) => {
    const covered = runs.filter((figures) => figures[name].low <= TRUTH && TRUTH <= figures[name].high).length / RUNS;
    expect(covered).toBeGreaterThan(0.95 - CHANCE);
    expect(covered).toBeLessThan(0.95 + CHANCE);
  });

  it.each(ESTIMATORS)('%s: right on average, and as far off as its standard error says', (name) => {
    const errors = runs.map((figures) => figures[name].estimate - TRUTH);
    const spread = Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / RUNS);
    const stated = runs.reduce((sum, figures) => sum + figures[name].standardError, 0) / RUNS;
    expect(Math.abs(errors.reduce((sum, error) => sum + error, 0) / RUNS)).toBeLessThan((3 * spread) / Math.sqrt(RUNS));
    expect(spread / stated).toBeGreaterThan(0.88);
    expect(spread / stated).toBeLessThan(1.12);
  });

  it('switchDr: surer than doubly robust, and biased by no more than it says', () => {
    for (const { dr, switchDr } of runs) {
      expect(switchDr.standardError).toBeLessThan(dr.standardError);
      expect(Math.abs(switchDr.estimate - TRUTH)).toBeLessThan(switchDr.biasAtMost + 3 * switchDr.standardError);
    }
    // Coupons for the new (weight 4) and points for the loyal (weight 7) are 75 % of what the policy draws.
    expect(runs.reduce((sum, { switchDr }) => sum + switchDr.biasAtMost, 0) / RUNS).toBeCloseTo(0.75, 1);
  });

  it('the model of rewards makes doubly robust figures surer than weights alone', () => {
    const total = (name: 'ips' | 'dr') => runs.reduce((sum, figures) => sum + figures[name].standardError, 0);
    expect(total('dr')).toBeLessThan(0.95 * total('ips'));
  });

  it('propensities that are not those of the draws show in the mean weight', () => {
    const wrong = drawLog({ seed: 1, rows: 2_000 }).map((row) => ({ ...row, propensity: 1 / 3 }));
    expect(toFigures(wrong).meanWeight.high).toBeLessThan(1);
    const { meanWeight } = toFigures(drawLog({ seed: 1, rows: 2_000 }));
    expect(meanWeight.low).toBeLessThan(1);
    expect(meanWeight.high).toBeGreaterThan(1);
  });
});

describe('evaluate', () => {
  it('gives the mean of the log where the policy is that of the log', () => {
    const rows = drawLog({ seed: 5, rows: 100 }).map((row) => ({ ...row, propensity: 1 / 3 }));
    const { figures } = evaluate(rows, () => [1 / 3, 1 / 3, 1 / 3], { options: OPTIONS });
    const mean = rows.reduce((sum, { reward }) => sum + reward, 0) / 100;
    expect(figures?.ips.estimate).toBeCloseTo(mean, 12);
    expect(figures?.snips.estimate).toBeCloseTo(mean, 12);
    expect(figures?.ips.effectiveSampleSize).toBeCloseTo(100, 9);
    expect(figures?.ips.largestWeight).toBe(1);
  });

  it('says beside each figure that few rows carry it', () => {
    const rows = drawLog({ seed: 5, rows: 1_000 }).map((row, index) =>
      index === 7 ? { ...row, propensity: 1e-4 } : row,
    );
    const { ips, switchDr } = toFigures(rows);
    expect(ips.largestWeight).toBeGreaterThan(900);
    expect(ips.effectiveSampleSize).toBeLessThan(10);
    expect(switchDr.threshold).toBeCloseTo(31.6, 1);
    expect(switchDr.largestWeight).toBeLessThan(8);
    expect(switchDr.effectiveSampleSize).toBeGreaterThan(200);
    expect(switchDr.biasAtMost).toBeGreaterThan(0.5);
  });

  it('reports every bad row with its place, and estimates from the others', () => {
    const good = drawLog({ seed: 5, rows: 50 });
    const bad: readonly (readonly [Partial<LoggedRow>, string, string])[] = [
      [{ propensity: 0 }, 'propensity not in (0, 1]', '0'],
      [{ propensity: Number.NaN }, 'propensity not in (0, 1]', 'NaN'],
      [{ propensity: 1.01 }, 'propensity not in (0, 1]', '1.01'],
      [{ propensity: -0.5 }, 'propensity not in (0, 1]', '-0.5'],
      [{ reward: Number.POSITIVE_INFINITY }, 'reward not a number', 'Infinity'],
      [{ option: 'cupon' }, 'option unknown', 'cupon'],
      [{ features: [1, 2] }, 'features of another length', '2'],
      [{ features: [Number.NaN] }, 'features not numbers', 'NaN'],
    ];
    const template = good[0] as LoggedRow;
    const rows = [
      ...good,
      ...bad.map(([change], index) => ({ ...template, ...change, place: `log.csv:${index + 52}` })),
    ];
    const { problems, ...rest } = evaluate(rows, targetPolicy, { options: OPTIONS });
    expect(problems).toEqual(
      bad.map(([, reason, value], index) => ({ place: `log.csv:${index + 52}`, reason, value })),
    );
    expect(rest).toEqual({ rows: 50, figures: toFigures(good) });
  });

  it.each([[[0.5, 0.5]], [[0.5, 0.6, 0.1]], [[1.5, -0.5, 0]], [[Number.NaN, 0.5, 0.5]]])(
    'does not take %j for a distribution over three options',
    (probabilities) => {
      const { problems, figures } = evaluate(drawLog({ seed: 5, rows: 2 }), () => probabilities, { options: OPTIONS });
      expect(problems.map(({ place, reason }) => `${place}: ${reason}`)).toEqual([
        'row 1: policy gives no distribution',
        'row 2: policy gives no distribution',
      ]);
      expect(figures).toBeUndefined();
    },
  );

  it('does not depend on a period of the log', () => {
    const rows = Array.from({ length: 80 }, (_, at) => ({
      option: at % 2 === 0 ? 'none' : 'coupon',
      propensity: 0.5,
      reward: at % 4 === 0 || at % 8 === 1 ? 1 : 0,
    }));
    const { figures } = evaluate(rows, () => [1, 0, 0], { options: OPTIONS });
    expect(figures?.ips.estimate).toBe(0.5);
    expect(Math.abs((figures?.dr.estimate ?? 0) - 0.5)).toBeLessThan(0.06);
  });

  it('has no interval for a policy that never does what the log did', () => {
    const rows = drawLog({ seed: 5, rows: 20 }).map((row) => ({ ...row, option: 'none' }));
    const { figures } = evaluate(rows, () => [0, 1, 0], { options: OPTIONS });
    expect(figures?.ips.effectiveSampleSize).toBe(0);
    expect(figures?.snips.estimate).toBeNaN();
  });
});
