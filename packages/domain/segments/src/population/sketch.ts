/**
 * How a number is spread over a population: counts of values by buckets whose upper bounds grow by 2 %, so that a quantile is at
 * most 2 % above the exact one. Counts add up exactly: sketches of parts may be summed in any order.
 */
export interface Sketch {
  readonly count: number;
  /** Mean of the values, each taken as the upper bound of its bucket. */
  readonly mean: number;
  /** Upper bound (inclusive) and number of values, by bound, ascending. */
  readonly buckets: ReadonlyArray<readonly [upper: number, count: number]>;
}

const GROWTH = 1.02;
const LOG_GROWTH = Math.log(GROWTH);
/** Values nearer to 0 have one bucket: a second is 1e-5 of a day. */
const LEAST = 1e-9;

/** Collects values into a sketch. Values that are not finite are left out. */
export class SketchBuilder {
  readonly #counts = new Map<number, number>();

  add(value: number): void {
    if (Number.isFinite(value)) this.#addCount(toUpperBound(value), 1);
  }

  addAll({ buckets }: Sketch): void {
    for (const [upper, count] of buckets) this.#addCount(upper, count);
  }

  build(): Sketch {
    const buckets = [...this.#counts].sort(([a], [b]) => a - b);
    const count = buckets.reduce((sum, [, own]) => sum + own, 0);
    const total = buckets.reduce((sum, [upper, own]) => sum + upper * own, 0);
    return { count, mean: count === 0 ? 0 : total / count, buckets };
  }

  #addCount(upper: number, count: number): void {
    this.#counts.set(upper, (this.#counts.get(upper) ?? 0) + count);
  }
}

/** Whole numbers up to 50 have a bucket each: counts of orders are few, and 2 must not be taken for 1. */
function toUpperBound(value: number): number {
  // No negative zero: JSON has none.
  if (Number.isInteger(value) && Math.abs(value) <= 50) return value + 0;
  if (Math.abs(value) < LEAST) return value > 0 ? LEAST : 0;
  const index = Math.log(Math.abs(value)) / LOG_GROWTH;
  // Rounded, so that the bound is short in JSON and the same on every machine that adds it.
  if (value > 0) return roundUp(GROWTH ** Math.ceil(index), value);
  return roundUp(-(GROWTH ** Math.floor(index)), value);
}

/** To six digits, but not below the value: a bound that is below it would be none. */
function roundUp(bound: number, value: number): number {
  return Math.max(Number(bound.toPrecision(6)), value);
}

/** The least bound that a share of the values is at or below; 0 for a sketch of nothing. `share` is from 0 to 1. */
export function toQuantile({ count, buckets }: Sketch, share: number): number {
  const wanted = Math.max(1, Math.ceil(count * share));
  let seen = 0;
  for (const [upper, own] of buckets) {
    seen += own;
    if (seen >= wanted) return upper;
  }
  return buckets.at(-1)?.[0] ?? 0;
}

/**
 * The bound that at most `rank` values are above, such as 100 for the first hundred: of a bucket that would make them more all
 * are left out. Undefined where no more than `rank` have a value, so that all are.
 */
export function toRankBound({ count, buckets }: Sketch, rank: number): number | undefined {
  if (count <= rank) return undefined;
  let above = 0;
  for (let index = buckets.length - 1; index >= 0; index--) {
    const [upper, own] = buckets[index] ?? [0, 0];
    if (above + own > rank) return upper;
    above += own;
  }
  return undefined;
}
