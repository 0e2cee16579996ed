import { unreachable } from '@perennial/kernel';
import { toDeviation } from '../deviation.js';

/** What is computed from the gaps between times: a key of two specs means the same. */
export type GapMeasure =
  | { readonly kind: 'deviation' | 'regularity' }
  | { readonly kind: 'quantile'; readonly quantile: number };

/** The measures of the gaps between ascending times, in ms where they have a unit; NaN for none. */
export function measureGaps(times: readonly number[], measures: readonly GapMeasure[]): number[] {
  // Several measures ask for the same: both are computed once, and not for times that need none.
  let moments: Moments | undefined;
  let ascending: Float64Array | undefined;
  const toMoments = () => {
    moments ??= sumGaps(times);
    return moments;
  };
  const toAscending = () => {
    ascending ??= sortGaps(times);
    return ascending;
  };
  return measures.map((measure) => {
    if (times.length < 2) return Number.NaN;
    switch (measure.kind) {
      // Whole numbers up to the root, so that equal gaps deviate by 0 and no difference is lost.
      case 'deviation':
        return toDeviation(toMoments());
      case 'regularity':
        return times.length < 3 ? Number.NaN : toRegularity(toMoments());
      case 'quantile':
        return toQuantile(toAscending(), measure.quantile);
      default:
        return unreachable(measure);
    }
  });
}

interface Moments {
  readonly count: number;
  readonly sum: bigint;
  readonly squares: bigint;
}

/**
 * (mean - std) / (mean + std). With `spread = n * squares - sum^2` it is `(sum^2 - spread) / (sum + root(spread))^2`, whose
 * difference is of whole numbers: that of two nearly equal roots would keep few digits.
 */
function toRegularity({ count, sum, squares }: Moments): number {
  const spread = BigInt(count) * squares - sum * sum;
  // 0 / 0 where all are at one time.
  return Number(sum * sum - spread) / (Number(sum) + Math.sqrt(Number(spread))) ** 2;
}

function toQuantile(gaps: Float64Array, quantile: number): number {
  const rank = quantile * (gaps.length - 1);
  const below = Math.floor(rank);
  const lower = gaps[below] as number;
  return lower + (rank - below) * ((gaps[below + 1] ?? lower) - lower);
}

/** Shared by all readings, since each is done with it before the next. */
let scratch = new Float64Array(0);

function sortGaps(times: readonly number[]): Float64Array {
  if (scratch.length < times.length) scratch = new Float64Array(times.length);
  const gaps = scratch.subarray(0, times.length - 1);
  for (let place = 0; place < gaps.length; place += 1)
    gaps[place] = (times[place + 1] as number) - (times[place] as number);
  return gaps.sort();
}

/** Half of a gap's digits. */
const HALF = 2 ** 21;
/** Below it, 139 years, the sums of the products of halves are exact for 1,023 gaps; there are half as many at most. */
const GAP_END = HALF ** 2;

/** In doubles where they are exact: a number of its own for each gap took eight times as long. */
function sumGaps(times: readonly number[]): Moments {
  const count = times.length - 1;
  const sum = BigInt((times[count] as number) - (times[0] as number));
  let [high, middle, low] = [0, 0, 0];
  for (let place = 0; place < count; place += 1) {
    const gap = (times[place + 1] as number) - (times[place] as number);
    if (gap >= GAP_END) return { count, sum, squares: sumWideSquares(times) };
    const upper = Math.floor(gap / HALF);
    const lower = gap - upper * HALF;
    high += upper * upper;
    middle += upper * lower;
    low += lower * lower;
  }
  return { count, sum, squares: (BigInt(high) << 42n) + (BigInt(middle) << 22n) + BigInt(low) };
}

function sumWideSquares(times: readonly number[]): bigint {
  let squares = 0n;
  for (let place = 1; place < times.length; place += 1) {
    const gap = BigInt((times[place] as number) - (times[place - 1] as number));
    squares += gap * gap;
  }
  return squares;
}
