import { describe, expect, it } from '@jest/globals';
import { LruCache } from './lru-cache.js';

describe('LruCache', () => {
  it('drops the least recently used beyond its entries', () => {
    const cache = new LruCache<string, number>({ entriesMax: 2, sizeMax: 100 });
    cache.set('a', 1);
    cache.set('b', 2);
    cache.get('a');
    cache.set('c', 3);
    expect([cache.has('a'), cache.has('b'), cache.has('c')]).toEqual([true, false, true]);
  });

  it('keeps the sum of sizes within its bound, even for one that is too large alone', () => {
    const cache = new LruCache<string, number>({ entriesMax: 100, sizeMax: 10 });
    cache.set('a', 1, 6);
    cache.set('b', 2, 6);
    expect([cache.size, cache.has('a')]).toEqual([6, false]);
    cache.set('b', 2, 3);
    expect(cache.size).toBe(3);
    cache.set('huge', 3, 11);
    expect([cache.size, cache.entries]).toEqual([0, 0]);
  });
});
