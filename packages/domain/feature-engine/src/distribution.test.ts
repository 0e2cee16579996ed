import { describe, expect, it } from '@jest/globals';
import { createSeededRandom } from '@perennial/kernel';
import { DistributionSample, DRIFT_LIMITS, parseDistributions, toBin, toPsi } from './distribution.js';

function sampleOf(values: ReadonlyArray<number | null>) {
  const sample = new DistributionSample(['x'], createSeededRandom(1));
  for (const value of values) sample.add([value]);
  return sample.toDistributions().x ?? { edges: [], shares: [] };
}

describe('a distribution', () => {
  it('has bins of equal shares, and one of rows without a value', () => {
    const { edges, shares } = sampleOf([...Array.from({ length: 80 }, (_, i) => i), ...new Array<null>(20).fill(null)]);
    expect(edges).toEqual([7, 15, 23, 31, 39, 47, 55, 63, 71]);
    expect(shares).toEqual([...new Array<number>(10).fill(0.08), 0.2]);
  });

  it('has fewer bins where values repeat, one for equal values, and none but missing for no value', () => {
    expect(sampleOf([...new Array<number>(90).fill(0), ...Array.from({ length: 10 }, (_, i) => i + 1)])).toEqual({
      edges: [0],
      shares: [0.9, 0.1, 0],
    });
    expect(sampleOf([3, 3, 3])).toEqual({ edges: [], shares: [1, 0] });
    expect(sampleOf([null, null])).toEqual({ edges: [], shares: [0, 1] });
  });

  it('is of a bounded sample of the rows', () => {
    const { shares } = sampleOf(Array.from({ length: 5 * DRIFT_LIMITS.rowsSampled }, (_, i) => i));
    for (const share of shares.slice(0, -1)) expect(share).toBeCloseTo(0.1, 2);
  });

  it.each([
    [-1, 0],
    [1, 0],
    [1.5, 1],
    [2, 1],
    [9, 2],
    [null, 3],
    [Number.NaN, 3],
  ])('puts %p into bin %i of edges 1 and 2', (value, bin) => expect(toBin({ edges: [1, 2] }, value)).toBe(bin));
});

describe('the population stability index', () => {
  it('is 0 for equal shares, and that of the formula for others', () => {
    expect(toPsi({ shares: [0.5, 0.25, 0.25] }, [200, 100, 100])).toBe(0);
    // (0.6 - 0.5) ln(0.6 / 0.5) + (0.4 - 0.5) ln(0.4 / 0.5)
    expect(toPsi({ shares: [0.5, 0.5] }, [60, 40])).toBeCloseTo(0.1 * Math.log(1.2) - 0.1 * Math.log(0.8), 12);
  });

  it('is finite where a bin is empty, and large', () => {
    expect(toPsi({ shares: [1, 0] }, [0, 10])).toBeCloseTo(2 * (1 - 1e-4) * Math.log(1e4), 6);
    expect(toPsi({ shares: [1, 0] }, [0, 10])).toBeGreaterThan(DRIFT_LIMITS.psiMajor);
  });
});

it('reads distributions of a manifest, and says everything that is wrong', () => {
  const good = { x: { edges: [1, 2], shares: [0.25, 0.25, 0.25, 0.25] } };
  expect(parseDistributions(good, 'f')).toBe(good);
  expect(() => parseDistributions({}, 'f')).toThrow('f: it has no distributions');
  expect(() =>
    parseDistributions({ x: { edges: [2, 1], shares: [] }, y: { edges: [1], shares: [2, 0, 0] }, z: null }, 'f'),
  ).toThrow(
    'f: x.edges must be at most 9 ascending numbers; y.shares must be 3 numbers from 0 to 1; z.edges must be at most 9 ascending numbers',
  );
});
