import { describe, expect, it } from '@jest/globals';
import { assign, layOutTraffic } from './assign.js';
import { type Experiment, LEARNING_ARMS } from './experiment.js';

const KEYS = Array.from({ length: 4_000 }, (_, index) => `p${index}`);

function experiment(more: Partial<Experiment> = {}): Experiment {
  const arms = ['usual', 'offer'].map((name) => ({ name, weight: 1 }));
  return { name: 'offer', layer: 'main', salt: 's1', slice: { from: 0, to: 1 }, arms, ...more };
}

function share(of: Experiment, arm: string): number {
  return KEYS.filter((key) => assign(of, key)?.arm === arm).length / KEYS.length;
}

describe('assign', () => {
  it('gives each arm its share, the same arm each time, and others for another salt', () => {
    const learning = experiment({ arms: LEARNING_ARMS });
    expect(share(learning, 'learned')).toBeCloseTo(0.6, 1);
    expect(share(learning, 'holdout')).toBeCloseTo(0.1, 1);
    expect(assign(learning, 'p1')).toEqual(assign(learning, 'p1'));
    expect(assign(learning, 'p1')?.propensity).toBe(
      { learned: 0.6, random: 0.1, usual: 0.2, holdout: 0.1 }[assign(learning, 'p1')?.arm ?? ''],
    );
    const moved = KEYS.filter((key) => assign(experiment(), key)?.arm !== assign(experiment({ salt: 's2' }), key)?.arm);
    expect(moved.length / KEYS.length).toBeCloseTo(0.5, 1);
  });

  it('keeps who is in, and the arms, when traffic grows', () => {
    const small = experiment({ slice: { from: 0, to: 0.2 } });
    const large = experiment({ slice: { from: 0, to: 0.7 } });
    const inSmall = KEYS.filter((key) => assign(small, key) !== undefined);
    expect(inSmall.length / KEYS.length).toBeCloseTo(0.2, 1);
    for (const key of inSmall) expect(assign(large, key)).toEqual(assign(small, key));
  });

  it('shares no person within a layer, and is independent between layers', () => {
    const [first, second] = [
      { from: 0, to: 0.5 },
      { from: 0.5, to: 1 },
    ].map((slice, index) => experiment({ name: `e${index}`, slice })) as [Experiment, Experiment];
    for (const key of KEYS) expect(assign(first, key) === undefined).not.toBe(assign(second, key) === undefined);
    const other = experiment({ name: 'other', layer: 'second' });
    const both = KEYS.filter(
      (key) => assign(experiment(), key)?.arm === 'offer' && assign(other, key)?.arm === 'offer',
    );
    expect(both.length / KEYS.length).toBeCloseTo(0.25, 1);
  });
});

describe('layOutTraffic', () => {
  it('lays experiments one after another in each layer, or where they say', () => {
    const slices = layOutTraffic([
      { layer: 'a', share: 0.3 },
      { layer: 'b', share: 1 },
      { layer: 'a', share: 0.6 },
      { layer: 'a', share: 0.1 },
      { layer: 'c', share: 0.5, from: 0.5 },
    ]);
    expect(slices.map((slice) => slice?.from)).toEqual([0, 0, 0.3, expect.closeTo(0.9), 0.5]);
    expect(slices[3]?.to).toBe(1);
  });

  it('gives none to one that overlaps or does not fit', () => {
    const [, overlapping, after] = layOutTraffic([
      { layer: 'a', share: 0.5 },
      { layer: 'a', share: 0.2, from: 0.4 },
      { layer: 'a', share: 0.6 },
    ]);
    expect([overlapping, after]).toEqual([undefined, undefined]);
  });
});
