import { describe, expect, it } from '@jest/globals';
import { findDifferences } from './mismatch.js';

const nameOf = (index: number) => `f${index}`;
const vector = (...values: Array<number | null>) => ({ specHash: 'a', asOf: 5, values });

describe('findDifferences', () => {
  it('finds the last bit, the sign of zero, a missing value and one too many', () => {
    const found = findDifferences(vector(0.1 + 0.2, 0, Number.NaN, 4), vector(0.3, -0, 1), nameOf);
    expect(found).toEqual([
      { feature: 'f0', served: '0.30000000000000004', recomputed: '0.3' },
      { feature: 'f1', served: '0', recomputed: '-0' },
      { feature: 'f2', served: 'null', recomputed: '1' },
      { feature: 'f3', served: '4', recomputed: 'absent' },
    ]);
  });

  it('finds none between vectors of the same bits, without values too', () => {
    expect(findDifferences(vector(1, Number.NaN, null), vector(1, Number.NaN, null), nameOf)).toEqual([]);
  });

  it('tells another time beside the values, and of another spec only that', () => {
    const later = { ...vector(2), asOf: 6 };
    expect(findDifferences(vector(1), later, nameOf).map(({ feature }) => feature)).toEqual(['(asOf)', 'f0']);
    const other = { ...later, specHash: 'b' };
    expect(findDifferences(vector(1), other, nameOf)).toEqual([{ feature: '(spec)', served: 'a', recomputed: 'b' }]);
  });
});
