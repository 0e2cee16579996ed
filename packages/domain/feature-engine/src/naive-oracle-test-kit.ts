import { DAY_MS, HOUR_MS } from './time.js';

/** An event in the form that oracle and engine share; money in whole units of 1e-4. */
export interface OracleEvent {
  readonly id: string;
  readonly kind: 'order' | 'refund' | 'page';
  readonly timestampMs: number;
  readonly units: number | undefined;
  readonly products: readonly string[];
}

/**
 * The features by definition: a recomputation over raw events that shares no code with the engine but the lengths of
 * an hour and a day. For tests.
 */
export function computeNaively(events: readonly OracleEvent[], atMs: number): Record<string, number | null> {
  const within = (kind: string | undefined, days: number) => {
    const windowMs = days * DAY_MS;
    const tileMs = days <= 7 ? HOUR_MS : DAY_MS;
    const fromMs = Math.floor((atMs - windowMs) / tileMs) * tileMs;
    return events.filter(
      (e) => (kind === undefined || e.kind === kind) && fromMs <= e.timestampMs && e.timestampMs <= atMs,
    );
  };
  const orders = events.filter((e) => e.kind === 'order').sort((a, b) => a.timestampMs - b.timestampMs);
  const times = orders.map((e) => e.timestampMs);
  const money = (some: readonly OracleEvent[]) => some.reduce((sum, e) => sum + (e.units ?? 0), 0) / 1e4;
  // Whole milliseconds throughout, so that the oracle has no rounding error of its own.
  const gaps = times.slice(1).map((time, index) => time - (times[index] as number));
  const [first] = times;
  const last = times.at(-1);
  return {
    orders_count_7d: within('order', 7).length,
    orders_count_30d: within('order', 30).length,
    orders_count_90d: within('order', 90).length,
    orders_count_365d: within('order', 365).length,
    orders_count_all: orders.length,
    orders_revenue_sum_30d: money(within('order', 30)),
    orders_revenue_sum_90d: money(within('order', 90)),
    orders_revenue_sum_365d: money(within('order', 365)),
    orders_revenue_sum_all: money(orders),
    orders_recency_days: last === undefined ? null : (atMs - last) / DAY_MS,
    orders_tenure_days: first === undefined ? null : (atMs - first) / DAY_MS,
    orders_gap_mean_days: gaps.length === 0 ? null : gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length / DAY_MS,
    products_distinct_90d: new Set(within('order', 90).flatMap((e) => e.products)).size,
    refunds_count_365d: within('refund', 365).length,
    refunds_amount_sum_365d: money(within('refund', 365)),
    events_count_7d: within(undefined, 7).length,
    events_count_30d: within(undefined, 30).length,
    events_count_all: events.length,
  };
}
