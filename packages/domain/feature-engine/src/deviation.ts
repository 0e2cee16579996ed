/** Sums over whole numbers. */
interface Moments {
  readonly count: number;
  readonly sum: bigint;
  readonly squares: bigint;
}

/**
 * Population standard deviation: the root of `(n * squares - sum^2) / n^2`. The difference is of whole numbers, exact: from
 * doubles it could be negative for numbers that are nearly equal. `count` is at least 1.
 */
export function toDeviation({ count, sum, squares }: Moments): number {
  const spread = BigInt(count) * squares - sum * sum;
  // Negative only for a sum that is no longer exact, as of amounts beyond 9e11.
  return spread <= 0n ? 0 : Math.sqrt(Number(spread)) / count;
}
