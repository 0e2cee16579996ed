/** The feature names of the product's default spec that charts in tests may read. */
export const FEATURE_NAMES = [
  'orders_count_7d',
  'orders_count_30d',
  'orders_count_90d',
  'orders_count_365d',
  'orders_count_all',
  'orders_recency_days',
  'orders_tenure_days',
  'orders_gap_mean_days',
];
