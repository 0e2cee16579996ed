import type { Hash64 } from './hash.js';
import {
  compareAt,
  dropOlder,
  EMPTY_HASHES,
  filterEntries,
  type StampedHashes,
  takeSmallest,
  toStampedHashes,
  uniteHashes,
} from './stamped-hashes.js';

/** Distinct products are counted exactly up to here; beyond, the smallest hashes are kept as a sample. */
export const PRODUCTS_EXACT_MAX = 4_096;

/**
 * Distinct products with the day each was last seen: a theta (KMV) sketch that is exact while `theta` is undefined. The
 * sample is those hashes below theta; the estimate is their count over theta's share of the hash space (relative
 * standard error 1 / sqrt(4096) = 1.6 %). It is a function of the set of (product, day), whatever order they came in.
 */
export interface ProductSketch {
  readonly seen: StampedHashes;
  readonly theta: Hash64 | undefined;
  /** Latest day on which a product outside the sample was seen; once the window is past it, counting is exact again. */
  readonly sampledOutDay: number;
}

export const EMPTY_PRODUCTS: ProductSketch = { seen: EMPTY_HASHES, theta: undefined, sampledOutDay: 0 };

const HASH_SPACE = 2 ** 64;

/** With products seen on a day. */
export function addProducts(sketch: ProductSketch, hashes: readonly Hash64[], day: number): ProductSketch {
  if (hashes.length === 0) return sketch;
  const added = sampleBelow({ seen: toStampedHashes(hashes, day), theta: undefined, sampledOutDay: 0 }, sketch.theta);
  return uniteSamples(sketch, added);
}

/** Both in one. */
export function mergeProducts(a: ProductSketch, b: ProductSketch): ProductSketch {
  const theta = toSmaller(a.theta, b.theta);
  return uniteSamples(sampleBelow(a, theta), sampleBelow(b, theta));
}

/** Without what was last seen before `dayMin`. */
export function dropProductsBefore(sketch: ProductSketch, dayMin: number): ProductSketch {
  const seen = dropOlder(sketch.seen, dayMin);
  const exactAgain = sketch.theta !== undefined && sketch.sampledOutDay < dayMin;
  if (exactAgain) return { seen, theta: undefined, sampledOutDay: 0 };
  return seen === sketch.seen ? sketch : { ...sketch, seen };
}

/** How many distinct products were seen from `dayFirst` on, and the earliest day whose passing may change that. */
export function countProducts(sketch: ProductSketch, dayFirst: number): { count: number; oldestDay: number } {
  let inWindow = 0;
  let oldestDay = Infinity;
  for (const day of sketch.seen.stamps) {
    if (day < dayFirst) continue;
    inWindow += 1;
    if (day < oldestDay) oldestDay = day;
  }
  if (sketch.theta === undefined || sketch.sampledOutDay < dayFirst) return { count: inWindow, oldestDay };
  const share = (sketch.theta.high * 2 ** 32 + sketch.theta.low) / HASH_SPACE;
  return { count: Math.round(inWindow / share), oldestDay: Math.min(oldestDay, sketch.sampledOutDay) };
}

/** The part of a sketch that a smaller theta leaves. */
function sampleBelow(sketch: ProductSketch, theta: Hash64 | undefined): ProductSketch {
  if (theta === undefined) return sketch;
  let { sampledOutDay } = sketch;
  const seen = filterEntries(sketch.seen, (day, index) => {
    if (compareAt(sketch.seen.halves, index, theta) < 0) return true;
    sampledOutDay = Math.max(sampledOutDay, day);
    return false;
  });
  return { seen, theta, sampledOutDay };
}

/** Unites two sketches of one theta, and lowers theta to the first hash that no longer fits. */
function uniteSamples(a: ProductSketch, b: ProductSketch): ProductSketch {
  const seen = uniteHashes(a.seen, b.seen);
  let sampledOutDay = Math.max(a.sampledOutDay, b.sampledOutDay);
  if (seen.stamps.length <= PRODUCTS_EXACT_MAX) return { seen, theta: a.theta ?? b.theta, sampledOutDay };
  for (const day of seen.stamps.subarray(PRODUCTS_EXACT_MAX)) sampledOutDay = Math.max(sampledOutDay, day);
  const theta = {
    high: seen.halves[2 * PRODUCTS_EXACT_MAX] as number,
    low: seen.halves[2 * PRODUCTS_EXACT_MAX + 1] as number,
  };
  return { seen: takeSmallest(seen, PRODUCTS_EXACT_MAX), theta, sampledOutDay };
}

function toSmaller(a: Hash64 | undefined, b: Hash64 | undefined): Hash64 | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return (a.high - b.high || a.low - b.low) <= 0 ? a : b;
}
