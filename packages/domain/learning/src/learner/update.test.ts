import { describe, expect, it } from '@jest/globals';
import { createDrawer } from './draw.js';
import { createSnapshot, encodeSnapshot } from './snapshot.js';
import { toLayout } from './spec.js';
import { type Outcome, update } from './update.js';
import { LAYOUT, live, SPEC } from './world-test-kit.js';

const START = createSnapshot(LAYOUT);
const HOUR_MS = 3_600_000;

function repeat(times: number, outcome: Partial<Outcome>): Outcome[] {
  return Array.from({ length: times }, () => ({
    option: 'mail/coupon/warm',
    context: { stage: 'new' },
    isRewarded: true,
    atMs: 1,
    ...outcome,
  }));
}

function toRate(snapshot: typeof START, option: string, stage = 'new'): number {
  return createDrawer(LAYOUT, snapshot)
    .describe({ stage })
    .find((belief) => belief.option === option)?.rate as number;
}

describe('update', () => {
  const outcomes = live({ seed: 9, batches: 1, batchSize: 100 }).log;
  const learnt = update(LAYOUT, START, outcomes);

  const ofOutcomes = outcomes.map(({ option, context }) =>
    LAYOUT.toEffects(
      LAYOUT.options.findIndex(({ name }) => name === option),
      context,
    ),
  );

  /** Logarithm of the posterior by its definition: outcome by outcome, effect by effect. */
  function toLogPosterior(effects: Float64Array): number {
    const prior = effects.reduce(
      (sum, effect, at) =>
        sum - ((effect - (LAYOUT.priorMeans[at] as number)) ** 2 * (LAYOUT.priorPrecisions[at] as number)) / 2,
      0,
    );
    return outcomes.reduce((sum, { isRewarded }, index) => {
      const odds = (ofOutcomes[index] as readonly number[]).reduce((total, at) => total + (effects[at] as number), 0);
      const chance = 1 / (1 + Math.exp(-odds));
      return sum + Math.log(isRewarded ? chance : 1 - chance);
    }, prior);
  }

  it('finds the mode of the posterior, and its curvature there', () => {
    const STEP = 1e-3;
    const moved = (...moves: readonly (readonly [number, number])[]) => {
      const effects = Float64Array.from(learnt.means);
      for (const [at, by] of moves) effects[at] = (effects[at] as number) + by;
      return toLogPosterior(effects);
    };
    for (let row = 0; row < learnt.means.length; row += 1) {
      expect((moved([row, STEP]) - moved([row, -STEP])) / (2 * STEP)).toBeCloseTo(0, 3);
      for (let column = 0; column <= row; column += 1) {
        const second =
          (moved([row, STEP], [column, STEP]) -
            moved([row, STEP], [column, -STEP]) -
            moved([row, -STEP], [column, STEP]) +
            moved([row, -STEP], [column, -STEP])) /
          (4 * STEP ** 2);
        expect(-second).toBeCloseTo(learnt.precisions[row]?.[column] as number, 2);
      }
    }
  });

  it('counts outcomes and rewards by option', () => {
    const rewarded = outcomes.filter(({ isRewarded }) => isRewarded).length;
    expect(learnt.pulls.reduce((sum, pulls) => sum + pulls, 0)).toBe(100);
    expect(learnt.rewards.reduce((sum, rewards) => sum + rewards, 0)).toBe(rewarded);
    expect(learnt.number).toBe(1);
  });

  it('learns of options that were never drawn from those that share a value with them', () => {
    const snapshot = update(LAYOUT, START, repeat(60, {}));
    expect(toRate(snapshot, 'mail/coupon/plain')).toBeGreaterThan(2 * toRate(START, 'mail/coupon/plain'));
    expect(toRate(snapshot, 'mail/coupon/plain')).toBeGreaterThan(toRate(snapshot, 'push/none/plain'));
    expect(toRate(snapshot, 'mail/coupon/warm')).toBeGreaterThan(toRate(snapshot, 'mail/coupon/plain'));
    expect(toRate(snapshot, 'mail/coupon/warm')).toBeGreaterThan(toRate(snapshot, 'mail/coupon/warm', 'loyal'));
  });

  it('leaves out outcomes of unknown options, and contexts without a known value', () => {
    const unknown = update(LAYOUT, START, repeat(5, { option: 'fax/none/warm' }));
    expect(unknown.means).toEqual(START.means);
    const without = update(LAYOUT, START, repeat(5, { context: {} }));
    expect(update(LAYOUT, START, repeat(5, { context: { stage: 'lost', tier: 'gold' } })).means).toEqual(without.means);
  });

  it('stays finite for outcomes of absurd numbers', () => {
    const many = update(LAYOUT, START, [
      ...repeat(20_000, {}),
      ...repeat(20_000, { option: 'push/none/plain', isRewarded: false }),
    ]);
    expect([...many.means].every(Number.isFinite)).toBe(true);
    expect(toRate(many, 'mail/coupon/warm')).toBeGreaterThan(0.999);
    expect(toRate(many, 'push/none/plain')).toBeLessThan(0.001);
  });
});

describe('update with a half-life', () => {
  const layout = toLayout({ ...SPEC, halfLifeMs: HOUR_MS });
  const start = createSnapshot(layout);
  const other = repeat(1, { option: 'push/none/plain', isRewarded: false, atMs: 10 * HOUR_MS });

  it('counts an outcome half that is a half-life older than the latest', () => {
    const old = update(layout, start, [...repeat(20, { atMs: 9 * HOUR_MS }), ...other]);
    const fresh = update(layout, start, [...repeat(10, { atMs: 10 * HOUR_MS }), ...other]);
    expect(old.means).toEqual(fresh.means);
    expect(old.precisions).toEqual(fresh.precisions);
  });

  it('counts a late outcome by its age, however late it comes', () => {
    const before = update(layout, start, other);
    const late = update(layout, before, repeat(20, { atMs: 8 * HOUR_MS }));
    expect(late.means).toEqual(update(layout, before, repeat(5, { atMs: 10 * HOUR_MS })).means);
    expect(late.lastMs).toBe(10 * HOUR_MS);
  });

  it('goes back to the prior', () => {
    const learnt = update(layout, start, repeat(100, { atMs: 1 }));
    const later = update(layout, learnt, repeat(1, { option: 'gone', atMs: 1 + 40 * HOUR_MS }));
    for (const [at, mean] of later.means.entries()) expect(mean).toBeCloseTo(start.means[at] as number, 6);
    for (const [row, line] of later.precisions.entries()) {
      for (const [column, value] of line.entries())
        expect(value).toBeCloseTo(start.precisions[row]?.[column] as number, 6);
    }
    expect(later.pulls).toEqual(learnt.pulls);
  });

  it('gives the same bytes whatever the order of outcomes', () => {
    const outcomes = live({ seed: 4, batches: 1, batchSize: 50 }).log.map((outcome) => ({
      ...outcome,
      atMs: outcome.atMs * 60_000,
    }));
    const [there, back] = [outcomes, outcomes.toReversed()].map((all) =>
      encodeSnapshot(layout, update(layout, start, all)),
    );
    expect(there).toEqual(back);
  });
});
