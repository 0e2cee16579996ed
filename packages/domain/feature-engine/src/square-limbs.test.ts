import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { joinLimbs, SQUARE_LIMBS, toSquareLimb } from './square-limbs.js';

const toLimbs = (units: number) => Array.from({ length: SQUARE_LIMBS }, (_, limb) => toSquareLimb(units, limb));

describe('the limbs of a square', () => {
  it('are the square exactly, each below 2^29', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e13, max: 1e13 }), (units) => {
        const limbs = toLimbs(units);
        expect(joinLimbs(limbs)).toBe(BigInt(units) ** 2n);
        for (const limb of limbs) expect(limb >= 0 && limb < 2 ** 29).toBe(true);
      }),
      { numRuns: 2000, examples: [[0], [1], [-1], [1e13], [-1e13], [2 ** 22], [2 ** 29 - 1], [2 ** 43 - 1]] },
    );
  });

  it('add up to the sum of the squares', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1e13, max: 1e13 })), (amounts) => {
        const sums = amounts.map(toLimbs).reduce((a, b) => a.map((sum, at) => sum + (b[at] as number)), [0, 0, 0]);
        expect(joinLimbs(sums)).toBe(amounts.reduce((sum, units) => sum + BigInt(units) ** 2n, 0n));
      }),
    );
  });
});
