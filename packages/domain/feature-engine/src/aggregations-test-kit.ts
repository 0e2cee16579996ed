import type { AmountMeasure, EventFilter, FeatureDefinition } from './definition.js';
import type { OracleEvent } from './naive-oracle-test-kit.js';
import { DAY_MS, HOUR_MS } from './time.js';

const ORDERS: EventFilter = { type: 'track', name: 'Order Completed' };
const REVENUE: AmountMeasure = { kind: 'amount', properties: ['revenue'], absolute: false };
const MONEY = { unit: 'currency', event: ORDERS, measure: REVENUE };
const PRODUCTS = {
  unit: 'products',
  event: ORDERS,
  aggregation: 'distinct',
  measure: { kind: 'id', properties: ['product_id'], list: 'products' },
} as const;
const EVENTS = { unit: 'events', event: undefined };

/** Features of every aggregation that the preset lacks, over windows of all tile lengths and over the life. */
export const AGGREGATION_FEATURES: readonly FeatureDefinition[] = [
  { name: 'mean_6h', ...MONEY, aggregation: 'mean', windowMs: 6 * HOUR_MS },
  { name: 'mean_30d', ...MONEY, aggregation: 'mean', windowMs: 30 * DAY_MS },
  { name: 'mean_all', ...MONEY, aggregation: 'mean', windowMs: undefined },
  { name: 'std_3d', ...MONEY, aggregation: 'std', windowMs: 3 * DAY_MS },
  { name: 'std_90d', ...MONEY, aggregation: 'std', windowMs: 90 * DAY_MS },
  { name: 'std_all', ...MONEY, aggregation: 'std', windowMs: undefined },
  { name: 'min_12h', ...MONEY, aggregation: 'min', windowMs: 12 * HOUR_MS },
  { name: 'max_12h', ...MONEY, aggregation: 'max', windowMs: 12 * HOUR_MS },
  { name: 'max_90d', ...MONEY, aggregation: 'max', windowMs: 90 * DAY_MS },
  { name: 'min_8d', ...MONEY, aggregation: 'min', windowMs: 8 * DAY_MS },
  { name: 'min_all', ...MONEY, aggregation: 'min', windowMs: undefined },
  { name: 'first_2d', ...MONEY, aggregation: 'first', windowMs: 2 * DAY_MS },
  { name: 'last_2d', ...MONEY, aggregation: 'last', windowMs: 2 * DAY_MS },
  { name: 'first_30d', ...MONEY, aggregation: 'first', windowMs: 30 * DAY_MS },
  { name: 'first_all', ...MONEY, aggregation: 'first', windowMs: undefined },
  { name: 'last_all', ...MONEY, aggregation: 'last', windowMs: undefined },
  { name: 'products_7d', ...PRODUCTS, windowMs: 7 * DAY_MS },
  { name: 'products_all', ...PRODUCTS, windowMs: undefined },
  { name: 'gap_std', unit: 'days', event: undefined, aggregation: 'gap_std' },
  { name: 'trend_1h', ...EVENTS, aggregation: 'trend', windowMs: HOUR_MS },
  { name: 'trend_7d', ...EVENTS, aggregation: 'trend', windowMs: 7 * DAY_MS },
  { name: 'trend_30d', ...EVENTS, event: ORDERS, aggregation: 'trend', windowMs: 30 * DAY_MS },
  { name: 'active_1d', unit: 'days', event: undefined, aggregation: 'active_days', windowMs: DAY_MS },
  { name: 'active_30d', unit: 'days', event: undefined, aggregation: 'active_days', windowMs: 30 * DAY_MS },
  { name: 'active_all', unit: 'days', event: ORDERS, aggregation: 'active_days', windowMs: undefined },
  { name: 'recency', unit: 'days', event: ORDERS, aggregation: 'days_since_last' },
  { name: 'tenure', unit: 'days', event: ORDERS, aggregation: 'days_since_first' },
  {
    name: 'recency_share',
    unit: 'share',
    event: undefined,
    aggregation: 'ratio',
    numerator: 'recency',
    denominator: 'tenure',
  },
  {
    name: 'spread',
    unit: 'share',
    event: undefined,
    aggregation: 'ratio',
    numerator: 'std_90d',
    denominator: 'mean_all',
  },
];

/** The same by definition, over raw events; shares no code with the engine but the lengths of an hour and a day. */
export function computeAggregationsNaively(
  events: readonly OracleEvent[],
  atMs: number,
): Record<string, number | null> {
  const within = (windowMs: number, tileMs = toTileLength(windowMs)) => {
    const fromMs = Math.floor((atMs - windowMs) / tileMs) * tileMs;
    return events.filter(({ timestampMs }) => fromMs <= timestampMs && timestampMs <= atMs);
  };
  const ordersOf = (some: readonly OracleEvent[]) => some.filter(({ kind }) => kind === 'order');
  const unitsOf = (some: readonly OracleEvent[]) =>
    ordersOf(some).flatMap(({ units }) => (units === undefined ? [] : [units]));
  const trend = (windowMs: number, pick: (some: readonly OracleEvent[]) => readonly OracleEvent[] = (all) => all) => {
    const now = pick(within(windowMs));
    const before = pick(within(2 * windowMs, toTileLength(windowMs))).filter((event) => !now.includes(event));
    return now.length - before.length;
  };
  const days = (some: readonly OracleEvent[]) => new Set(some.map((e) => Math.floor(e.timestampMs / DAY_MS))).size;
  const products = (some: readonly OracleEvent[]) => new Set(ordersOf(some).flatMap((order) => order.products)).size;
  const times = ordersOf(events).map(({ timestampMs }) => timestampMs);
  const recency = times.length === 0 ? null : (atMs - Math.max(...times)) / DAY_MS;
  const tenure = times.length === 0 ? null : (atMs - Math.min(...times)) / DAY_MS;
  const [spread, mean] = [deviation(unitsOf(within(90 * DAY_MS))), average(unitsOf(events))];
  return {
    mean_6h: average(unitsOf(within(6 * HOUR_MS))),
    mean_30d: average(unitsOf(within(30 * DAY_MS))),
    mean_all: mean,
    std_3d: deviation(unitsOf(within(3 * DAY_MS))),
    std_90d: spread,
    std_all: deviation(unitsOf(events)),
    min_12h: extreme(unitsOf(within(12 * HOUR_MS)), -1),
    max_12h: extreme(unitsOf(within(12 * HOUR_MS)), 1),
    max_90d: extreme(unitsOf(within(90 * DAY_MS)), 1),
    min_8d: extreme(unitsOf(within(8 * DAY_MS)), -1),
    min_all: extreme(unitsOf(events), -1),
    first_2d: end(ordersOf(within(2 * DAY_MS)), -1),
    last_2d: end(ordersOf(within(2 * DAY_MS)), 1),
    first_30d: end(ordersOf(within(30 * DAY_MS)), -1),
    first_all: end(ordersOf(events), -1),
    last_all: end(ordersOf(events), 1),
    products_7d: products(within(7 * DAY_MS)),
    products_all: products(events),
    gap_std: gapDeviation(events.map(({ timestampMs }) => timestampMs)),
    trend_1h: trend(HOUR_MS),
    trend_7d: trend(7 * DAY_MS),
    trend_30d: trend(30 * DAY_MS, ordersOf),
    active_1d: days(within(DAY_MS, DAY_MS)),
    active_30d: days(within(30 * DAY_MS)),
    active_all: days(ordersOf(events)),
    recency,
    tenure,
    recency_share: divide(recency, tenure),
    spread: divide(spread, mean),
  };
}

function toTileLength(windowMs: number): number {
  if (windowMs <= 12 * HOUR_MS) return HOUR_MS / 12;
  return windowMs <= 7 * DAY_MS ? HOUR_MS : DAY_MS;
}

function average(units: readonly number[]): number | null {
  return units.length === 0 ? null : units.reduce((sum, one) => sum + one, 0) / 1e4 / units.length;
}

/** In whole numbers up to the root, so that the oracle has no rounding error of its own. */
function deviation(units: readonly number[]): number | null {
  if (units.length === 0) return null;
  const exact = units.map(BigInt);
  const sum = exact.reduce((a, b) => a + b, 0n);
  const squares = exact.reduce((a, b) => a + b * b, 0n);
  return Math.sqrt(Number(BigInt(units.length) * squares - sum * sum)) / units.length / 1e4;
}

/** The greatest for a sign of 1, the least for -1. */
function extreme(units: readonly number[], sign: 1 | -1): number | null {
  return units.length === 0 ? null : (sign * Math.max(...units.map((one) => sign * one)) + 0) / 1e4;
}

/** The amount of the last event for a sign of 1, of the first for -1; of those at one time the extreme. */
function end(events: readonly OracleEvent[], sign: 1 | -1): number | null {
  const own = events.filter(({ units }) => units !== undefined);
  const atMs = sign * Math.max(...own.map(({ timestampMs }) => sign * timestampMs));
  return extreme(
    own.filter(({ timestampMs }) => timestampMs === atMs).map(({ units }) => units ?? 0),
    sign,
  );
}

function gapDeviation(times: readonly number[]): number | null {
  const sorted = times.toSorted((a, b) => a - b).slice(-512);
  const gaps = sorted.slice(1).map((time, index) => BigInt(time - (sorted[index] ?? 0)));
  if (gaps.length === 0) return null;
  const sum = gaps.reduce((a, b) => a + b, 0n);
  const squares = gaps.reduce((a, b) => a + b * b, 0n);
  return Math.sqrt(Number(BigInt(gaps.length) * squares - sum * sum)) / gaps.length / DAY_MS;
}

function divide(a: number | null, b: number | null): number | null {
  return a === null || b === null || b === 0 ? null : a / b;
}
