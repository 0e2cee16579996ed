import type { AmountMeasure, FeatureDefinition } from './definition.js';
import type { OracleEvent } from './naive-oracle-test-kit.js';
import { DAY_MS, HOUR_MS } from './time.js';

const ORDERS = { type: 'track', name: 'Order Completed' };
const REVENUE: AmountMeasure = { kind: 'amount', properties: ['revenue'], absolute: false };
const MONEY = { unit: 'currency', event: ORDERS, measure: REVENUE };

/** Features of the aggregations that describe a profile's habits. */
export const PROFILE_FEATURES: readonly FeatureDefinition[] = [
  { name: 'gap_median', unit: 'days', event: undefined, aggregation: 'gap_quantile', quantile: 0.5 },
  { name: 'gap_p90', unit: 'days', event: ORDERS, aggregation: 'gap_quantile', quantile: 0.9 },
  { name: 'regularity', unit: 'score', event: undefined, aggregation: 'regularity' },
  { name: 'count_half_6h', unit: 'events', event: undefined, aggregation: 'decayed_count', halfLifeMs: 6 * HOUR_MS },
  { name: 'spend_half_6h', ...MONEY, aggregation: 'decayed_sum', halfLifeMs: 6 * HOUR_MS },
  { name: 'spend_half_30d', ...MONEY, aggregation: 'decayed_sum', halfLifeMs: 30 * DAY_MS },
];

/** The same by definition, over raw events; shares no code with the engine but the lengths of an hour and a day. */
export function computeProfileNaively(events: readonly OracleEvent[], atMs: number): Record<string, number | null> {
  const timesOf = (some: readonly OracleEvent[]) => some.map(({ timestampMs }) => timestampMs);
  const orders = events.filter(({ kind }) => kind === 'order');
  return {
    gap_median: quantileOfGaps(timesOf(events), 0.5),
    gap_p90: quantileOfGaps(timesOf(orders), 0.9),
    regularity: regularityOf(gapsOf(timesOf(events))),
    count_half_6h: decay(events, { atMs, halfLifeMs: 6 * HOUR_MS, amountOf: () => 1 }),
    spend_half_6h: decay(orders, { atMs, halfLifeMs: 6 * HOUR_MS, amountOf: unitsOf }) / 1e4,
    spend_half_30d: decay(orders, { atMs, halfLifeMs: 30 * DAY_MS, amountOf: unitsOf }) / 1e4,
  };
}

function unitsOf({ units }: OracleEvent): number {
  return units ?? 0;
}

/** The sum of each step of an eighth, weighed, from the newest: the order of rounding is part of the definition. */
function decay(
  events: readonly OracleEvent[],
  { atMs, halfLifeMs, amountOf }: { atMs: number; halfLifeMs: number; amountOf: (event: OracleEvent) => number },
): number {
  const stepMs = halfLifeMs / 8;
  const stepsOf = (timeMs: number) => Math.floor(atMs / stepMs) - Math.floor(timeMs / stepMs);
  const eighths =
    '1 0.9170040432046712 0.8408964152537145 0.7711054127039704 0.7071067811865476 0.6484197773255048 0.5946035575013605 0.5452538663326288';
  let total = 0;
  for (let steps = 0; steps < 128; steps += 1) {
    const own = events.filter(({ timestampMs }) => stepsOf(timestampMs) === steps);
    const sum = own.reduce((all, event) => all + amountOf(event), 0);
    total += (Number(eighths.split(' ')[steps % 8]) / 2 ** Math.floor(steps / 8)) * sum;
  }
  return total;
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
