import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
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

describe('LruCache and a list in order of use', () => {
  it('keep the same entries, whatever is done to them', () => {
    const operation = fc.tuple(
      fc.constantFrom('get', 'set', 'delete', 'clear'),
      fc.nat(7),
      fc.integer({ min: 1, max: 4 }),
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
        const cache = new LruCache<number, number>({ entriesMax: 4, sizeMax: 9 });
        let list: Array<{ key: number; value: number; size: number }> = [];
        operations.forEach(([kind, key, size], value) => {
          const known = list.find((entry) => entry.key === key);
          const others = list.filter((entry) => entry !== known);
          if (kind === 'get') {
            expect(cache.get(key)).toBe(known?.value);
            list = known === undefined ? list : [...others, known];
          } else if (kind === 'set') {
            cache.set(key, value, size);
            list = [...others, { key, value, size }];
            const toSize = () => list.reduce((sum, entry) => sum + entry.size, 0);
            while (list.length > 4 || toSize() > 9) list = list.slice(1);
          } else if (kind === 'delete') {
            cache.delete(key);
            list = others;
          } else if (size === 4) {
            cache.clear();
            list = [];
          }
          const size9 = list.reduce((sum, entry) => sum + entry.size, 0);
          expect([cache.entries, cache.size]).toEqual([list.length, size9]);
          for (let at = 0; at < 8; at++) expect(cache.has(at)).toBe(list.some((entry) => entry.key === at));
        });
      }),
    );
  });
});
