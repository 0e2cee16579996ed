import { describe, expect, it } from '@jest/globals';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { decodeCheckpoint, encodeCheckpoint, type FillCheckpoint } from './checkpoint.js';
import { StateTable } from './state-table.js';

const ALL = { from: '', to: undefined };
const entry = (key: string) => ({ key, state: Buffer.from(`state of ${key}`) });

describe('a checkpoint of a fill', () => {
  it('has all that it was given, series of values too', () => {
    const values: [number, number][] = [
      [2, 20],
      [1, 10],
    ];
    const checkpoint: FillCheckpoint = {
      position: { next: 7, logTimeMs: 5, reading: { inForce: [], applied: {} } },
      range: { from: 'a', to: 'm' },
      parts: [],
      profiles: 3,
      open: [entry('a')],
      nodes: [entry('b')],
      entries: [entry('c'), entry('d')],
      series: [
        ['c', [{ event: 'Order Completed', property: 'revenue', values, flagged: 1 }]],
        ['d', [{ event: 'Order Completed', property: 'tax', values: [], flagged: 0 }]],
      ],
    };
    expect(decodeCheckpoint(encodeCheckpoint(checkpoint))).toEqual(checkpoint);
    expect(decodeCheckpoint(encodeCheckpoint({ ...checkpoint, series: [] }))?.series).toEqual([]);
  });
});

describe('the states of a pass', () => {
  it('count what is kept elsewhere for a key, and are fewer when that is too much', () => {
    const entries = ['a', 'b', 'c', 'd'].map(entry);
    const full = new StateTable(new FeatureSpecs(ECOMMERCE_FEATURES).initial, { range: ALL, bytesMax: 1_000, entries });
    expect(full.entries()).toHaveLength(4);
    for (const { key } of entries) full.countFurther(key, 200);
    full.countFurther('a', 300);
    expect(full.entries().map(({ key }) => key)).toEqual(['a', 'b', 'c', 'd']);
    full.countFurther('d', 400);
    expect(full.entries().map(({ key }) => key)).toEqual(['a', 'b']);
    expect(full.holds('c')).toBe(false);
    full.countFurther('b', 600);
    expect(full.entries().map(({ key }) => key)).toEqual(['a', 'b']);
  });
});
