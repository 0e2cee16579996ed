import type { AmountMeasure, FeatureDefinition } from './definition.js';
import type { OracleEvent } from './naive-oracle-test-kit.js';
import { DAY_MS, HOUR_MS } from './time.js';

const ORDERS = { type: 'track', name: 'Order Completed' };
const REVENUE: AmountMeasure = { kind: 'amount', properties: ['revenue'], absolute: false };
const MONEY = { unit: 'currency', event: ORDERS, measure: REVENUE };

const PRODUCTS = {
  unit: 'units',
  event: ORDERS,
  measure: { kind: 'id', properties: ['product_id'], list: 'products' },
} as const;
const SESSIONS = { unit: 'units', event: undefined, gapMs: HOUR_MS / 2 };
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
  { name: 'top_product_7d', ...PRODUCTS, aggregation: 'top_count', rank: 1, windowMs: 7 * DAY_MS },
  { name: 'second_product_90d', ...PRODUCTS, aggregation: 'top_share', rank: 2, windowMs: 90 * DAY_MS },
  { name: 'product_entropy', ...PRODUCTS, aggregation: 'entropy', windowMs: undefined },
  { name: 'streak_7d', unit: 'days', event: undefined, aggregation: 'streak', windowMs: 7 * DAY_MS },
  { name: 'streak_all', unit: 'days', event: undefined, aggregation: 'streak', windowMs: undefined },
  { name: 'longest_streak_30d', unit: 'days', event: undefined, aggregation: 'longest_streak', windowMs: 30 * DAY_MS },
  { name: 'sessions_7d', ...SESSIONS, aggregation: 'sessions_count', windowMs: 7 * DAY_MS },
  { name: 'session_length_7d', ...SESSIONS, aggregation: 'session_length_mean', windowMs: 7 * DAY_MS },
  { name: 'sessions_90d', ...SESSIONS, gapMs: 10 * HOUR_MS, aggregation: 'sessions_count', windowMs: 90 * DAY_MS },
];

/** The same by definition, over raw events; shares no code with the engine but the lengths of an hour and a day. */
export function computeProfileNaively(events: readonly OracleEvent[], atMs: number): Record<string, number | null> {
  const within = (windowMs: number, tileMs = windowMs <= 7 * DAY_MS ? HOUR_MS : DAY_MS) => {
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
    top_product_7d: frequencies(within(7 * DAY_MS))[0] ?? 0,
    second_product_90d: divide(frequencies(within(90 * DAY_MS))[1] ?? 0, totalOf(frequencies(within(90 * DAY_MS)))),
    product_entropy: entropyOf(frequencies(events)),
    streak_7d: streakOf(daysOf(within(7 * DAY_MS, DAY_MS)), atMs),
    streak_all: streakOf(daysOf(events), atMs),
    longest_streak_30d: Math.max(0, ...daysOf(within(30 * DAY_MS)).map((day, _, days) => streakTo(day, days))),
    sessions_7d: sessionsOf(timesOf(within(7 * DAY_MS)), HOUR_MS / 2).length,
    session_length_7d: meanLengthOf(sessionsOf(timesOf(within(7 * DAY_MS)), HOUR_MS / 2)),
    sessions_90d: sessionsOf(timesOf(within(90 * DAY_MS)), 10 * HOUR_MS).length,
    spend_half_30d: decay(orders, { atMs, halfLifeMs: 30 * DAY_MS, amountOf: unitsOf }) / 1e4,
  };
}

function divide(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

function sumOf(events: readonly OracleEvent[]): number {
  return events.reduce((sum, event) => sum + unitsOf(event), 0);
}

/** How often each product was ordered, greatest first. */
function frequencies(events: readonly OracleEvent[]): number[] {
  const ordered = events.filter(({ kind }) => kind === 'order').flatMap(({ products }) => products);
  return [...new Set(ordered)].map((id) => ordered.filter((other) => other === id).length).sort((a, b) => b - a);
}

function totalOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

function entropyOf(counts: readonly number[]): number | null {
  const total = totalOf(counts);
  if (total === 0) return null;
  return totalOf(counts.map((count) => (count / total) * Math.log2(total / count)));
}

function daysOf(events: readonly OracleEvent[]): number[] {
  return events.map(({ timestampMs }) => Math.floor(timestampMs / DAY_MS));
}

function streakTo(day: number, days: readonly number[]): number {
  let length = 0;
  while (days.includes(day - length)) length += 1;
  return length;
}

function streakOf(days: readonly number[], atMs: number): number {
  const today = Math.floor(atMs / DAY_MS);
  return streakTo(today, days) || streakTo(today - 1, days);
}

/** Lengths of the sessions in ms. */
function sessionsOf(times: readonly number[], gapMs: number): number[] {
  const lengths: number[] = [];
  times
    .toSorted((a, b) => a - b)
    .forEach((time, index, sorted) => {
      const apartMs = time - (sorted[index - 1] ?? Number.NEGATIVE_INFINITY);
      if (apartMs > gapMs) lengths.push(0);
      else lengths.push((lengths.pop() ?? 0) + apartMs);
    });
  return lengths;
}

function meanLengthOf(lengths: readonly number[]): number | null {
  return lengths.length === 0 ? null : totalOf(lengths) / lengths.length / 1_000;
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
