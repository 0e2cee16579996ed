import { toSha256 } from '@perennial/kernel';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** What a tile adds up. Money is kept in units of 1e-4, so that sums are exact and do not depend on their order. */
export type Measure = 'events' | 'orders' | 'revenue' | 'refunds' | 'refundAmount';

/** A declared feature: how its number comes from the state. */
export type Feature =
  | { readonly name: string; readonly kind: 'windowed'; readonly measure: Measure; readonly windowDays: number }
  | { readonly name: string; readonly kind: 'total'; readonly measure: 'events' | 'orders' | 'revenue' }
  | { readonly name: string; readonly kind: 'distinctProducts'; readonly windowDays: number }
  /** Days since an order: linear in time, null without one. */
  | { readonly name: string; readonly kind: 'daysSince'; readonly order: 'first' | 'last' }
  | { readonly name: string; readonly kind: 'gapMean' };

/** The window of `products_distinct_90d`; one map of last-seen tiles serves one window, or shorter ones. */
export const PRODUCT_WINDOW_DAYS = 90;

/** The declared features in the order of every vector. */
export const FEATURES: readonly Feature[] = [
  { name: 'orders_count_7d', kind: 'windowed', measure: 'orders', windowDays: 7 },
  { name: 'orders_count_30d', kind: 'windowed', measure: 'orders', windowDays: 30 },
  { name: 'orders_count_90d', kind: 'windowed', measure: 'orders', windowDays: 90 },
  { name: 'orders_count_365d', kind: 'windowed', measure: 'orders', windowDays: 365 },
  { name: 'orders_count_all', kind: 'total', measure: 'orders' },
  { name: 'orders_revenue_sum_30d', kind: 'windowed', measure: 'revenue', windowDays: 30 },
  { name: 'orders_revenue_sum_90d', kind: 'windowed', measure: 'revenue', windowDays: 90 },
  { name: 'orders_revenue_sum_365d', kind: 'windowed', measure: 'revenue', windowDays: 365 },
  { name: 'orders_revenue_sum_all', kind: 'total', measure: 'revenue' },
  { name: 'orders_recency_days', kind: 'daysSince', order: 'last' },
  { name: 'orders_tenure_days', kind: 'daysSince', order: 'first' },
  { name: 'orders_gap_mean_days', kind: 'gapMean' },
  { name: 'products_distinct_90d', kind: 'distinctProducts', windowDays: PRODUCT_WINDOW_DAYS },
  { name: 'refunds_count_365d', kind: 'windowed', measure: 'refunds', windowDays: 365 },
  { name: 'refunds_amount_sum_365d', kind: 'windowed', measure: 'refundAmount', windowDays: 365 },
  { name: 'events_count_7d', kind: 'windowed', measure: 'events', windowDays: 7 },
  { name: 'events_count_30d', kind: 'windowed', measure: 'events', windowDays: 30 },
  { name: 'events_count_all', kind: 'total', measure: 'events' },
];

/** Raised when the meaning of a feature changes without its declaration changing: it is part of the spec's hash. */
const SEMANTICS_VERSION = 1;

export interface FeatureSpec {
  /** SHA-256 (hex) of the declarations, their order and their meaning's version. */
  readonly hash: string;
  readonly features: readonly Feature[];
  /** Names in the order of every vector. */
  readonly names: readonly string[];
}

/** The spec in force: what a state, a vector and a model must agree on. */
export const FEATURE_SPEC: FeatureSpec = {
  hash: toSha256(JSON.stringify({ semantics: SEMANTICS_VERSION, features: FEATURES.map(toCanonical) })),
  features: FEATURES,
  names: FEATURES.map((feature) => feature.name),
};

/** The tile of a window: 5 min up to 12 h, 1 h up to 7 d, 1 d above, all aligned to UTC. */
export function toTileMs(windowMs: number): number {
  if (windowMs <= 12 * HOUR_MS) return 5 * 60_000;
  return windowMs <= 7 * DAY_MS ? HOUR_MS : DAY_MS;
}

/** Index of the first tile that a window covers at `atMs`: floor((t - W) / tile). */
export function toFirstTile(atMs: number, windowMs: number): number {
  return Math.floor((atMs - windowMs) / toTileMs(windowMs));
}

/** The vector by name, for people and JSON. */
export function toFeatureMap(values: ReadonlyArray<number | null>): Record<string, number | null> {
  return Object.fromEntries(FEATURE_SPEC.names.map((name, index) => [name, values[index] ?? null]));
}

/** Entries by key, sorted: the hash must not depend on how the declaration happens to be typed. */
function toCanonical(feature: Feature): unknown {
  return Object.entries(feature).sort(([a], [b]) => (a < b ? -1 : 1));
}
