import type { AmountMeasure, FeatureDefinition } from './definition.js';
import type { OracleEvent } from './naive-oracle-test-kit.js';
import { DAY_MS, HOUR_MS } from './time.js';

const ORDERS = { type: 'track', name: 'Order Completed' };
const REVENUE: AmountMeasure = { kind: 'amount', properties: ['revenue'], absolute: false };
const MONEY = { unit: 'currency', event: ORDERS, measure: REVENUE };

const OF_EVENTS = { unit: 'share', event: undefined };

/** Features of the aggregations that describe a profile's habits. */
export const PROFILE_FEATURES: readonly FeatureDefinition[] = [
  { name: 'gap_median', unit: 'days', event: undefined, aggregation: 'gap_quantile', quantile: 0.5 },
  { name: 'gap_p90', unit: 'days', event: ORDERS, aggregation: 'gap_quantile', quantile: 0.9 },
  { name: 'regularity', unit: 'score', event: undefined, aggregation: 'regularity' },
  { name: 'count_half_6h', unit: 'events', event: undefined, aggregation: 'decayed_count', halfLifeMs: 6 * HOUR_MS },
  { name: 'spend_half_6h', ...MONEY, aggregation: 'decayed_sum', halfLifeMs: 6 * HOUR_MS },
  { name: 'spend_half_30d', ...MONEY, aggregation: 'decayed_sum', halfLifeMs: 30 * DAY_MS },
  { name: 'order_share_7d', ...OF_EVENTS, aggregation: 'share', matching: ORDERS, windowMs: 7 * DAY_MS },
  {
    name: 'refund_amount_share',
    unit: 'share',
    event: { type: 'track', name: undefined },
    aggregation: 'amount_share',
    matching: { type: 'track', name: 'Order Refunded' },
    measure: REVENUE,
    money: true,
    windowMs: undefined,
  },
  { name: 'night_share_30d', ...OF_EVENTS, aggregation: 'hour_share', hours: [0, 1, 2, 7], windowMs: 30 * DAY_MS },
  { name: 'weekend_share', ...OF_EVENTS, aggregation: 'weekday_share', weekdays: [6, 7], windowMs: undefined },
];

/** The same by definition, over raw events; shares no code with the engine but the lengths of an hour and a day. */
export function computeProfileNaively(events: readonly OracleEvent[], atMs: number): Record<string, number | null> {
  const within = (windowMs: number) => {
    const tileMs = windowMs <= 7 * DAY_MS ? HOUR_MS : DAY_MS;
    return events.filter(({ timestampMs }) => timestampMs >= Math.floor((atMs - windowMs) / tileMs) * tileMs);
  };
  const timesOf = (some: readonly OracleEvent[]) => some.map(({ timestampMs }) => timestampMs);
  const orders = events.filter(({ kind }) => kind === 'order');
  return {
    gap_median: quantileOfGaps(timesOf(events), 0.5),
    gap_p90: quantileOfGaps(timesOf(orders), 0.9),
    regularity: regularityOf(gapsOf(timesOf(events))),
    count_half_6h: decay(events, { atMs, halfLifeMs: 6 * HOUR_MS, amountOf: () => 1 }),
    spend_half_6h: decay(orders, { atMs, halfLifeMs: 6 * HOUR_MS, amountOf: unitsOf }) / 1e4,
    order_share_7d: divide(within(7 * DAY_MS).filter((e) => e.kind === 'order').length, within(7 * DAY_MS).length),
    refund_amount_share: divide(
      sumOf(events.filter((e) => e.kind === 'refund')),
      sumOf(events.filter((e) => e.kind !== 'page')),
    ),
    night_share_30d: divide(
      within(30 * DAY_MS).filter((e) => [0, 1, 2, 7].includes(new Date(e.timestampMs).getUTCHours())).length,
      within(30 * DAY_MS).length,
    ),
    weekend_share: divide(
      events.filter((e) => [0, 6].includes(new Date(e.timestampMs).getUTCDay())).length,
      events.length,
    ),
    spend_half_30d: decay(orders, { atMs, halfLifeMs: 30 * DAY_MS, amountOf: unitsOf }) / 1e4,
  };
}

function divide(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

function sumOf(events: readonly OracleEvent[]): number {
  return events.reduce((sum, event) => sum + unitsOf(event), 0);
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
