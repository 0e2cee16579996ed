import type { AmountMeasure, EventFilter, FeatureDefinition, IdMeasure } from '../definition.js';
import { ORDER_AMOUNTS, ORDER_COMPLETED, ORDER_REFUNDED, REFUND_AMOUNTS } from '../event.js';
import { DAY_MS } from '../time.js';

const ORDERS: EventFilter = { type: 'track', name: ORDER_COMPLETED };
const REFUNDS: EventFilter = { type: 'track', name: ORDER_REFUNDED };
const REVENUE: AmountMeasure = { kind: 'amount', properties: ORDER_AMOUNTS, absolute: false };
const REFUND_AMOUNT: AmountMeasure = { kind: 'amount', properties: REFUND_AMOUNTS, absolute: true };
const PRODUCTS: IdMeasure = { kind: 'id', properties: ['product_id', 'sku'], list: 'products' };

/**
 * Features of a shop, after Segment's e-commerce events. In force on a partition until its first rollout of features.
 * Must never change: a namespace created under it would compute other values after an upgrade. A test checks the hash.
 */
export const ECOMMERCE_FEATURES: readonly FeatureDefinition[] = [
  count('orders_count_7d', 'orders', ORDERS, 7),
  count('orders_count_30d', 'orders', ORDERS, 30),
  count('orders_count_90d', 'orders', ORDERS, 90),
  count('orders_count_365d', 'orders', ORDERS, 365),
  count('orders_count_all', 'orders', ORDERS, undefined),
  sum('orders_revenue_sum_30d', ORDERS, REVENUE, 30),
  sum('orders_revenue_sum_90d', ORDERS, REVENUE, 90),
  sum('orders_revenue_sum_365d', ORDERS, REVENUE, 365),
  sum('orders_revenue_sum_all', ORDERS, REVENUE, undefined),
  { name: 'orders_recency_days', unit: 'days', event: ORDERS, aggregation: 'days_since_last' },
  { name: 'orders_tenure_days', unit: 'days', event: ORDERS, aggregation: 'days_since_first' },
  { name: 'orders_gap_mean_days', unit: 'days', event: ORDERS, aggregation: 'gap_mean' },
  {
    name: 'products_distinct_90d',
    unit: 'products',
    event: ORDERS,
    aggregation: 'distinct',
    measure: PRODUCTS,
    windowMs: 90 * DAY_MS,
  },
  count('refunds_count_365d', 'refunds', REFUNDS, 365),
  sum('refunds_amount_sum_365d', REFUNDS, REFUND_AMOUNT, 365),
  count('events_count_7d', 'events', undefined, 7),
  count('events_count_30d', 'events', undefined, 30),
  count('events_count_all', 'events', undefined, undefined),
];

function count(
  name: string,
  unit: string,
  event: EventFilter | undefined,
  days: number | undefined,
): FeatureDefinition {
  return { name, unit, event, aggregation: 'count', windowMs: toWindowMs(days) };
}

function sum(name: string, event: EventFilter, measure: AmountMeasure, days: number | undefined): FeatureDefinition {
  return { name, unit: 'currency', event, aggregation: 'sum', measure, windowMs: toWindowMs(days) };
}

function toWindowMs(days: number | undefined): number | undefined {
  return days === undefined ? undefined : days * DAY_MS;
}
