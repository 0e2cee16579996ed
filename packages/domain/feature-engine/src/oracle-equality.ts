import type { Aggregation } from './definition.js';

/** Means, deviations and ratios are rounded in another order by the oracle; all else is equal to the bit. */
const ROUNDED: ReadonlySet<Aggregation> = new Set<Aggregation>([
  'mean',
  'std',
  'gap_mean',
  'gap_std',
  'gap_quantile',
  'regularity',
  'entropy',
  'session_length_mean',
  'decayed_count',
  'decayed_sum',
  'ratio',
]);
const RELATIVE_ERROR_MAX = 1e-9;

/** True when a value is what the oracle (`oracle/oracle.py`) gives: to the bit, or to 1e-9 relative where it is rounded. */
export function isOracleEqual(aggregation: Aggregation, value: number | null, wanted: number | null): boolean {
  if (value === null || wanted === null || !ROUNDED.has(aggregation)) return value === wanted;
  return Math.abs(value - wanted) <= RELATIVE_ERROR_MAX * Math.max(Math.abs(value), Math.abs(wanted));
}
