import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Sketch, SketchBuilder, toQuantile, toRankBound } from './sketch.js';

const SEED = 30;
const values = fc.array(
  fc.oneof(
    fc.integer({ min: -3, max: 60 }),
    fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    fc.constantFrom(0, -0, 1e-12, 1e300, Number.NaN, Number.POSITIVE_INFINITY),
  ),
  { minLength: 1, maxLength: 60 },
);

function toSketch(list: readonly number[]): Sketch {
  const builder = new SketchBuilder();
  for (const value of list) builder.add(value);
  return builder.build();
}

describe('a sketch of a population', () => {
  it('gives a quantile at or above the exact one, by 2 % at most', () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (list, share) => {
        const finite = list.filter((value) => Number.isFinite(value)).sort((a, b) => a - b);
        const exact = finite[Math.max(1, Math.ceil(finite.length * share)) - 1] ?? 0;
        const found = toQuantile(toSketch(list), share);
        expect(found).toBeGreaterThanOrEqual(exact - 1e-9);
        expect(found - exact).toBeLessThanOrEqual(Math.abs(exact) * 0.0201 + 1e-9);
      }),
      { numRuns: 1_000, seed: SEED },
    );
  });

  it('is the same whether parts are summed, in any order, or all is read at once', () => {
    fc.assert(
      fc.property(values, values, values, (a, b, c) => {
        const sum = new SketchBuilder();
        for (const part of [c, a, b]) sum.addAll(toSketch(part));
        const all = toSketch([...a, ...b, ...c]);
        expect(sum.build()).toEqual(all);
        // It is also what comes back from JSON.
        expect(JSON.parse(JSON.stringify(all.buckets))).toEqual(all.buckets.map(([upper, count]) => [upper, count]));
      }),
      { numRuns: 300, seed: SEED },
    );
  });

  it('has no more values above the bound of a rank than that, and all where there are no more', () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 80 }), (list, rank) => {
        const finite = list.filter((value) => Number.isFinite(value));
        const bound = toRankBound(toSketch(list), rank);
        if (bound === undefined) expect(finite.length).toBeLessThanOrEqual(rank);
        else expect(finite.filter((value) => value > bound).length).toBeLessThanOrEqual(rank);
      }),
      { numRuns: 500, seed: SEED },
    );
  });

  it('tells small counts apart', () => {
    const sketch = toSketch([1, 1, 1, 2, 3, 40]);
    expect([0.2, 0.5, 0.6, 0.8, 1].map((share) => toQuantile(sketch, share))).toEqual([1, 1, 2, 3, 40]);
    expect(toRankBound(sketch, 2)).toBe(2);
    expect(toSketch([]).mean).toBe(0);
  });
});
