import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { evaluate } from './evaluate.js';
import { toFolds } from './reward-model.js';
import type { LoggedRow } from './row.js';

const OPTIONS = ['a', 'b', 'c'];

const logs = fc.array(
  fc.record({
    option: fc.constantFrom(...OPTIONS),
    propensity: fc.double({ min: 0.05, max: 1, noNaN: true }),
    reward: fc.double({ min: -5, max: 5, noNaN: true }),
  }),
  { minLength: 4, maxLength: 40 },
);
const targets = fc
  .tuple(...OPTIONS.map(() => fc.double({ min: 0.01, max: 1, noNaN: true })))
  .map((parts) => parts.map((part) => part / parts.reduce((sum, other) => sum + other, 0)));

/** The formulas as papers print them, read again: sums over rows, the model a shrunk mean of the other half's rows. */
function evaluateByHand(rows: readonly LoggedRow[], target: readonly number[], threshold: number) {
  const n = rows.length;
  const folds = toFolds(n);
  const sum = (toNumber: (row: LoggedRow, index: number) => number) =>
    rows.reduce((total, row, index) => total + toNumber(row, index), 0);
  const pi = (row: LoggedRow) => target[OPTIONS.indexOf(row.option)] as number;
  const q = (index: number, option: string) => {
    const other = rows.filter((_row, at) => folds[at] !== folds[index]);
    const rewards = other.map(({ reward }) => reward);
    const mean = rewards.reduce((total, reward) => total + reward, 0) / rewards.length;
    const own = other.filter((row) => row.option === option);
    const shrunk = mean + own.reduce((total, row) => total + row.reward - mean, 0) / (own.length + 1);
    return Math.min(Math.max(...rewards), Math.max(Math.min(...rewards), shrunk));
  };
  const direct = (index: number) => OPTIONS.reduce((total, o, at) => total + (target[at] as number) * q(index, o), 0);
  const w = (row: LoggedRow) => pi(row) / row.propensity;
  const ips = sum((row) => (pi(row) * row.reward) / row.propensity) / n;
  const snips = sum((row) => w(row) * row.reward) / sum(w);
  return {
    ips,
    ipsError: Math.sqrt(sum((row) => (w(row) * row.reward - ips) ** 2) / (n - 1) / n),
    snips,
    // Owen, Monte Carlo theory, 9.8
    snipsError: Math.sqrt(sum((row) => w(row) ** 2 * (row.reward - snips) ** 2) / sum(w) ** 2),
    dr: sum((row, i) => direct(i) + w(row) * (row.reward - q(i, row.option))) / n,
    switchDr: sum((row, i) => direct(i) + (w(row) > threshold ? 0 : w(row) * (row.reward - q(i, row.option)))) / n,
    effectiveSampleSize: sum(w) ** 2 / sum((row) => w(row) ** 2),
  };
}

describe('the estimators and a second reading of their formulas', () => {
  it('agree', () => {
    fc.assert(
      fc.property(logs, targets, fc.double({ min: 0.1, max: 5, noNaN: true }), (rows, target, threshold) => {
        const { figures } = evaluate(rows, () => target, { options: OPTIONS, threshold });
        const byHand = evaluateByHand(rows, target, threshold);
        expect(figures?.ips.estimate).toBeCloseTo(byHand.ips, 8);
        expect(figures?.ips.standardError).toBeCloseTo(byHand.ipsError, 8);
        expect(figures?.snips.estimate).toBeCloseTo(byHand.snips, 8);
        const bessel = Math.sqrt(rows.length / (rows.length - 1));
        expect(figures?.snips.standardError).toBeCloseTo(byHand.snipsError * bessel, 8);
        expect(figures?.dr.estimate).toBeCloseTo(byHand.dr, 8);
        expect(figures?.switchDr.estimate).toBeCloseTo(byHand.switchDr, 8);
        expect(figures?.ips.effectiveSampleSize).toBeCloseTo(byHand.effectiveSampleSize, 6);
      }),
      { seed: 17, numRuns: 300 },
    );
  });
});
