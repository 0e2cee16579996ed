import type { ClusterFeature } from '@perennial/segments';

/** Digits that are kept of a median, a scale and a centre: more would say nothing, and nobody could read them. */
const DIGITS = 6;

/**
 * How the values of a feature are made comparable: by their median, and by the distance between their quartiles, which outliers do not
 * move. Where half of all have one value, by the standard deviation. Undefined where all have one value.
 */
export function toStandard(feature: string, values: readonly number[], fill: boolean): ClusterFeature | undefined {
  const sorted = Float64Array.from(values).sort();
  // A deviation of equal values need not be 0: their mean may be rounded.
  if (sorted[0] === sorted.at(-1)) return undefined;
  const median = toQuantile(sorted, 0.5);
  const scale = toQuantile(sorted, 0.75) - toQuantile(sorted, 0.25) || toDeviation(sorted);
  const standard = { feature, median: toDigits(median), scale: toDigits(scale) };
  return standard.scale > 0 ? { ...standard, missing: fill ? standard.median : undefined } : undefined;
}

/** A number as it is written into the file. */
export function toDigits(value: number): number {
  return Number(value.toPrecision(DIGITS));
}

/** Of ascending values, between two of them in proportion. */
export function toQuantile(sorted: ArrayLike<number>, share: number): number {
  const place = (sorted.length - 1) * share;
  const low = sorted[Math.floor(place)] ?? 0;
  const high = sorted[Math.ceil(place)] ?? 0;
  return low + (high - low) * (place - Math.floor(place));
}

function toDeviation(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
