import { toDeviation } from '../deviation.js';

/** What is computed from the gaps between times: a key of two specs means the same. */
export type GapMeasure =
  | { readonly kind: 'deviation' | 'regularity' }
  | { readonly kind: 'quantile'; readonly quantile: number };

/** The measure of the gaps between ascending times, in ms where it has a unit; NaN for none. */
export function measureGaps(times: readonly number[], measure: GapMeasure): number {
  switch (measure.kind) {
    case 'deviation':
      return toGapDeviation(times);
    case 'regularity':
      return toRegularity(times);
    case 'quantile':
      return toQuantile(times, measure.quantile);
  }
}

interface Moments {
  readonly count: number;
  readonly sum: bigint;
  readonly squares: bigint;
}

/** Whole numbers up to the root, so that equal gaps deviate by 0 and no difference is lost. */
function toGapDeviation(times: readonly number[]): number {
  return times.length < 2 ? Number.NaN : toDeviation(toMoments(times));
}

/**
 * (mean - std) / (mean + std). With `spread = n * squares - sum^2` it is `(sum^2 - spread) / (sum + root(spread))^2`, whose
 * difference is of whole numbers: that of two nearly equal roots would keep few digits.
 */
function toRegularity(times: readonly number[]): number {
  if (times.length < 3) return Number.NaN;
  const { count, sum, squares } = toMoments(times);
  const spread = BigInt(count) * squares - sum * sum;
  // 0 / 0 where all are at one time.
  return Number(sum * sum - spread) / (Number(sum) + Math.sqrt(Number(spread))) ** 2;
}

function toQuantile(times: readonly number[], quantile: number): number {
  if (times.length < 2) return Number.NaN;
  const gaps = times.slice(1).map((time, index) => time - (times[index] as number));
  gaps.sort((a, b) => a - b);
  const rank = quantile * (gaps.length - 1);
  const below = Math.floor(rank);
  const lower = gaps[below] as number;
  return lower + (rank - below) * ((gaps[below + 1] ?? lower) - lower);
}

function toMoments(times: readonly number[]): Moments {
  const count = times.length - 1;
  let squares = 0n;
  for (let place = 0; place < count; place += 1) {
    const gap = BigInt((times[place + 1] as number) - (times[place] as number));
    squares += gap * gap;
  }
  return { count, sum: BigInt((times[count] as number) - (times[0] as number)), squares };
}
