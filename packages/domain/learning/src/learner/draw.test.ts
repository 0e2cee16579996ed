import { describe, expect, it } from '@jest/globals';
import { createDrawer } from './draw.js';
import { createSnapshot } from './snapshot.js';
import { LAYOUT, live, SPEC } from './world-test-kit.js';

describe('draws', () => {
  const { snapshot } = live({ seed: 2, batches: 2, batchSize: 50 });
  const drawer = createDrawer(LAYOUT, snapshot);
  const context = { stage: 'loyal' };

  it('come as often as their propensities say', () => {
    const DRAWS = 20_000;
    const counts = new Map<string, number>();
    for (let at = 0; at < DRAWS; at += 1) {
      const { option } = drawer.draw(context, `decision ${at}`);
      counts.set(option, (counts.get(option) ?? 0) + 1);
    }
    for (const { option, propensity } of drawer.describe(context)) {
      const error = Math.sqrt((propensity * (1 - propensity)) / DRAWS);
      expect(Math.abs((counts.get(option) ?? 0) / DRAWS - propensity)).toBeLessThan(4 * error);
    }
  });

  it('have propensities that sum to 1, none below the floor', () => {
    const propensities = drawer.describe(context).map(({ propensity }) => propensity);
    expect(propensities.reduce((sum, propensity) => sum + propensity)).toBeCloseTo(1, 12);
    expect(Math.min(...propensities)).toBeGreaterThanOrEqual(SPEC.floor / propensities.length);
  });

  it('know nothing at first: every option may be the best', () => {
    const first = createDrawer(LAYOUT, createSnapshot(LAYOUT));
    expect(first.toEntropy(context)).toBeGreaterThan(0.98);
    for (const { rate, low, high } of first.describe(context)) {
      expect(low).toBeLessThan(rate);
      expect(high).toBeGreaterThan(rate);
    }
  });
});
