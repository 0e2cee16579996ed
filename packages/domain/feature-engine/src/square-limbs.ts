/** Bits of a limb. With 29 of them 16 million squares add up exactly in a double. */
const LIMB_BITS = 29;
const LIMB = 2 ** LIMB_BITS;

/** Limbs of the square of an amount: the greatest is 1e13 units, its square has 87 bits. */
export const SQUARE_LIMBS = 3;

/** Half of the bits of an amount in units: products of two halves are exact. */
const HALF = 2 ** 22;

/**
 * One limb of the square of a whole number below 2^44: `square = limb0 + limb1 * 2^29 + limb2 * 2^58`. In doubles, because
 * it is computed for each event: with `u = high * 2^22 + low` the square is `low^2 + 2 high low * 2^22 + high^2 * 2^44`.
 */
export function toSquareLimb(units: number, limb: number): number {
  const magnitude = Math.abs(units);
  const low = magnitude % HALF;
  const high = (magnitude - low) / HALF;
  const [lows, mixed, highs] = [low * low, 2 * high * low, high * high];
  // 2^22 of the mixed product reaches 7 bits into limb 0; 2^44 of the high one is 2^15 in limb 1, so 14 bits reach into it.
  const first = (lows % LIMB) + (mixed % 2 ** 7) * HALF;
  if (limb === 0) return first % LIMB;
  const second =
    Math.floor(first / LIMB) + Math.floor(lows / LIMB) + Math.floor(mixed / 2 ** 7) + (highs % 2 ** 14) * 2 ** 15;
  return limb === 1 ? second % LIMB : Math.floor(second / LIMB) + Math.floor(highs / 2 ** 14);
}

/** The number whose limbs are given; the limbs may be sums of limbs. */
export function joinLimbs(limbs: readonly number[]): bigint {
  return limbs.reduceRight((joined, limb) => (joined << BigInt(LIMB_BITS)) + BigInt(limb), 0n);
}
