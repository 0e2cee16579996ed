import { describe, expect, it } from '@jest/globals';
import { toHash64 } from '../hash.js';
import {
  addIds,
  countIds,
  DISTINCT_EXACT_MAX,
  type DistinctSketch,
  dropIdsBefore,
  EMPTY_SKETCH,
  mergeSketches,
} from './distinct-sketch.js';

describe('distinct sketch', () => {
  it('is exact up to its limit, and close beyond it', () => {
    expect(countIds(add(EMPTY_SKETCH, 0, DISTINCT_EXACT_MAX, 10), 0).count).toBe(DISTINCT_EXACT_MAX);
    for (const count of [DISTINCT_EXACT_MAX + 1, 20_000, 100_000]) {
      const sketch = add(EMPTY_SKETCH, 0, count, 10);
      expect(sketch.seen.stamps).toHaveLength(DISTINCT_EXACT_MAX);
      // Three standard errors of 1 / sqrt(4096).
      expect(Math.abs(countIds(sketch, 0).count / count - 1)).toBeLessThan(3 / 64);
    }
  });

  it('is a function of what was seen, not of the order, the portions or the halves it came in', () => {
    const whole = add(EMPTY_SKETCH, 0, 10_000, 5);
    let backwards: DistinctSketch = EMPTY_SKETCH;
    for (let from = 9_900; from >= 0; from -= 100) backwards = add(backwards, from, from + 100, 5);
    expect(backwards).toEqual(whole);
    const halves = [add(EMPTY_SKETCH, 0, 6_000, 5), add(EMPTY_SKETCH, 4_000, 10_000, 5)] as const;
    expect(mergeSketches(...halves)).toEqual(whole);
    expect(mergeSketches(halves[1], halves[0])).toEqual(whole);
    const small = add(EMPTY_SKETCH, 9_000, 10_000, 5);
    expect(mergeSketches(add(EMPTY_SKETCH, 0, 9_500, 5), small)).toEqual(whole);
  });

  it('counts only what was seen within the window, by the tile it was seen last', () => {
    const sketch = add(add(add(EMPTY_SKETCH, 0, 6, 1), 0, 2, 9), 0, 4, 3);
    expect(countIds(sketch, 0)).toEqual({ count: 6, oldestTile: 1 });
    expect(countIds(sketch, 2)).toEqual({ count: 4, oldestTile: 3 });
    expect(countIds(sketch, 4)).toEqual({ count: 2, oldestTile: 9 });
    expect(countIds(dropIdsBefore(sketch, 10), 0)).toEqual({ count: 0, oldestTile: Infinity });
  });

  it('is exact again once all it left out has gone by', () => {
    const sketch = add(add(EMPTY_SKETCH, 0, 50_000, 1), 90_000, 90_100, 4);
    // Some of the later hundred were left out too: until tile 4 has expired, the count is an estimate.
    expect(dropIdsBefore(sketch, 4).theta).toBeDefined();
    expect(countIds(sketch, 5)).toEqual({ count: 0, oldestTile: Infinity });
    expect(dropIdsBefore(sketch, 5)).toEqual(EMPTY_SKETCH);
    expect(countIds(add(dropIdsBefore(sketch, 5), 0, 100, 6), 0).count).toBe(100);
  });
});

function add(sketch: DistinctSketch, from: number, to: number, tile: number): DistinctSketch {
  const hashes = Array.from({ length: to - from }, (_, i) => toHash64(`product-${from + i}`));
  return addIds(sketch, hashes, tile);
}
