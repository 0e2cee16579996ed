import { describe, expect, it } from '@jest/globals';
import { toHash64 } from './hash.js';
import {
  addProducts,
  countProducts,
  dropProductsBefore,
  EMPTY_PRODUCTS,
  mergeProducts,
  PRODUCTS_EXACT_MAX,
  type ProductSketch,
} from './product-sketch.js';

describe('product sketch', () => {
  it('is exact up to its limit, and close beyond it', () => {
    expect(countProducts(add(EMPTY_PRODUCTS, 0, PRODUCTS_EXACT_MAX, 10), 0).count).toBe(PRODUCTS_EXACT_MAX);
    for (const count of [PRODUCTS_EXACT_MAX + 1, 20_000, 100_000]) {
      const sketch = add(EMPTY_PRODUCTS, 0, count, 10);
      expect(sketch.seen.stamps).toHaveLength(PRODUCTS_EXACT_MAX);
      // Three standard errors of 1 / sqrt(4096).
      expect(Math.abs(countProducts(sketch, 0).count / count - 1)).toBeLessThan(3 / 64);
    }
  });

  it('is a function of what was seen, not of the order, the portions or the halves it came in', () => {
    const whole = add(EMPTY_PRODUCTS, 0, 10_000, 5);
    let backwards: ProductSketch = EMPTY_PRODUCTS;
    for (let from = 9_900; from >= 0; from -= 100) backwards = add(backwards, from, from + 100, 5);
    expect(backwards).toEqual(whole);
    const halves = [add(EMPTY_PRODUCTS, 0, 6_000, 5), add(EMPTY_PRODUCTS, 4_000, 10_000, 5)] as const;
    expect(mergeProducts(...halves)).toEqual(whole);
    expect(mergeProducts(halves[1], halves[0])).toEqual(whole);
    const small = add(EMPTY_PRODUCTS, 9_000, 10_000, 5);
    expect(mergeProducts(add(EMPTY_PRODUCTS, 0, 9_500, 5), small)).toEqual(whole);
  });

  it('counts only what was seen within the window, by the day it was seen last', () => {
    const sketch = add(add(add(EMPTY_PRODUCTS, 0, 6, 1), 0, 2, 9), 0, 4, 3);
    expect(countProducts(sketch, 0)).toEqual({ count: 6, oldestDay: 1 });
    expect(countProducts(sketch, 2)).toEqual({ count: 4, oldestDay: 3 });
    expect(countProducts(sketch, 4)).toEqual({ count: 2, oldestDay: 9 });
    expect(countProducts(dropProductsBefore(sketch, 10), 0)).toEqual({ count: 0, oldestDay: Infinity });
  });

  it('is exact again once all it left out has gone by', () => {
    const sketch = add(add(EMPTY_PRODUCTS, 0, 50_000, 1), 90_000, 90_100, 4);
    // Some of the later hundred were left out too: until day 4 has gone, the count is an estimate.
    expect(dropProductsBefore(sketch, 4).theta).toBeDefined();
    expect(countProducts(sketch, 5)).toEqual({ count: 0, oldestDay: Infinity });
    expect(dropProductsBefore(sketch, 5)).toEqual(EMPTY_PRODUCTS);
    expect(countProducts(add(dropProductsBefore(sketch, 5), 0, 100, 6), 0).count).toBe(100);
  });
});

function add(sketch: ProductSketch, from: number, to: number, day: number): ProductSketch {
  const hashes = Array.from({ length: to - from }, (_, i) => toHash64(`product-${from + i}`));
  return addProducts(sketch, hashes, day);
}
