import type { FeatureDefinition } from './definition.js';
import type { OracleEvent } from './naive-oracle-test-kit.js';
import { DAY_MS } from './time.js';

const ORDERS = { type: 'track', name: 'Order Completed' };

/** Features of the aggregations that describe a profile's habits. */
export const PROFILE_FEATURES: readonly FeatureDefinition[] = [
  { name: 'gap_median', unit: 'days', event: undefined, aggregation: 'gap_quantile', quantile: 0.5 },
  { name: 'gap_p90', unit: 'days', event: ORDERS, aggregation: 'gap_quantile', quantile: 0.9 },
  { name: 'regularity', unit: 'score', event: undefined, aggregation: 'regularity' },
];

/** The same by definition, over raw events; shares no code with the engine but the lengths of an hour and a day. */
export function computeProfileNaively(events: readonly OracleEvent[], _atMs: number): Record<string, number | null> {
  const timesOf = (some: readonly OracleEvent[]) => some.map(({ timestampMs }) => timestampMs);
  const orders = events.filter(({ kind }) => kind === 'order');
  return {
    gap_median: quantileOfGaps(timesOf(events), 0.5),
    gap_p90: quantileOfGaps(timesOf(orders), 0.9),
    regularity: regularityOf(gapsOf(timesOf(events))),
  };
}

function gapsOf(times: readonly number[]): number[] {
  const sorted = times.toSorted((a, b) => a - b).slice(-512);
  return sorted.slice(1).map((time, index) => time - (sorted[index] ?? 0));
}

function quantileOfGaps(times: readonly number[], quantile: number): number | null {
  const gaps = gapsOf(times).sort((a, b) => a - b);
  const rank = quantile * (gaps.length - 1);
  const [lower, upper] = [gaps[Math.floor(rank)], gaps[Math.ceil(rank)]];
  if (lower === undefined || upper === undefined) return null;
  return (lower + (rank - Math.floor(rank)) * (upper - lower)) / DAY_MS;
}

/** In whole numbers up to the root, so that the oracle has no rounding error of its own. */
function regularityOf(gaps: readonly number[]): number | null {
  const exact = gaps.map(BigInt);
  const sum = exact.reduce((a, b) => a + b, 0n);
  if (gaps.length < 2 || sum === 0n) return null;
  const spread = BigInt(gaps.length) * exact.reduce((a, b) => a + b * b, 0n) - sum * sum;
  return Number(sum * sum - spread) / (Number(sum) + Math.sqrt(Number(spread))) ** 2;
}
