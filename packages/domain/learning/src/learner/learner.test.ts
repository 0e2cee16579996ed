import { describe, expect, it } from '@jest/globals';
import { evaluate } from '../evaluation/evaluate.js';
import { createDrawer } from './draw.js';
import { createSnapshot, encodeSnapshot } from './snapshot.js';
import { update } from './update.js';
import { LAYOUT, live, STAGES, toBestRate, toTruth } from './world-test-kit.js';

const BATCHES = 25;
const BATCH_SIZE = 100;
const OPTIONS = LAYOUT.options.map(({ name }) => name);

describe.each([1, 2, 3])('a learner in a world whose truth is known, seed %d', (seed) => {
  const life = live({ seed, batches: BATCHES, batchSize: BATCH_SIZE });

  it('misses less than half of what the best fixed option misses', () => {
    expect(life.regret).toBeLessThan(Math.min(...life.fixedRegrets) / 2);
  });

  it('comes to believe in options that are nearly the best, in each context', () => {
    const drawer = createDrawer(LAYOUT, life.snapshot);
    for (const stage of STAGES) {
      const favourite = drawer.describe({ stage }).reduce((most, belief) => (belief.best > most.best ? belief : most));
      expect(toTruth(favourite.option, { stage })).toBeGreaterThan(0.8 * toBestRate({ stage }));
      expect(drawer.toEntropy({ stage })).toBeLessThan(
        createDrawer(LAYOUT, createSnapshot(LAYOUT)).toEntropy({ stage }),
      );
    }
  });

  it('logs propensities by which another policy can be judged', () => {
    const { figures } = evaluate(life.log, () => OPTIONS.map(() => 1 / OPTIONS.length), { options: OPTIONS, z: 3 });
    const truth = life.log.reduce((sum, { context }) => {
      return (
        sum + OPTIONS.reduce((total, option) => total + toTruth(option, context), 0) / OPTIONS.length / life.log.length
      );
    }, 0);
    if (figures === undefined) throw new Error('no figures');
    expect(figures.meanWeight.low).toBeLessThan(1);
    expect(figures.meanWeight.high).toBeGreaterThan(1);
    expect(figures.dr.low).toBeLessThan(truth);
    expect(figures.dr.high).toBeGreaterThan(truth);
  });

  it('learns and draws the same from the same log, to the byte', () => {
    let snapshot = createSnapshot(LAYOUT);
    for (let from = 0; from < life.log.length; from += BATCH_SIZE) {
      const batch = life.log.slice(from, from + BATCH_SIZE);
      const drawer = createDrawer(LAYOUT, snapshot);
      expect(batch.map(({ context }, index) => drawer.draw(context, `${seed}.${from + index}`))).toEqual(
        batch.map(({ option, propensity }) => ({ option, propensity })),
      );
      snapshot = update(LAYOUT, snapshot, batch.toReversed());
    }
    expect(Buffer.compare(encodeSnapshot(LAYOUT, snapshot), encodeSnapshot(LAYOUT, life.snapshot))).toBe(0);
    expect(snapshot.number).toBe(BATCHES);
  });
});
