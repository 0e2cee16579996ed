// What one feature of each aggregation costs: `node bench/aggregations.mjs` (after a build). Time of an event and of a vector,
// and bytes of a state beyond an empty one, for a profile of 600 orders in 120 days. Medians; compare the lines, not machines.
import { performance } from 'node:perf_hooks';
import { compileFeatures, DAY_MS } from '../dist/index.js';

const ROUNDS = 11;
const FOLDS = 5;
const VECTORS = 1_000;
const amount = { measure: { kind: 'amount', properties: ['revenue'], absolute: false } };
const ids = { measure: { kind: 'id', properties: ['product_id'], list: 'products' } };
const month = { windowMs: 30 * DAY_MS };

const features = {
  'count 30d': { aggregation: 'count', ...month },
  'sum 30d': { aggregation: 'sum', ...amount, ...month },
  'mean 30d': { aggregation: 'mean', ...amount, ...month },
  'std 30d': { aggregation: 'std', ...amount, ...month },
  'share 30d': { aggregation: 'share', matching: { type: 'track', name: 'x' }, ...month },
  'hour_share 30d': { aggregation: 'hour_share', hours: [0, 1, 2], ...month },
  'decayed_count 7d': { aggregation: 'decayed_count', halfLifeMs: 7 * DAY_MS },
  'decayed_sum 7d': { aggregation: 'decayed_sum', ...amount, halfLifeMs: 7 * DAY_MS },
  'trend 30d': { aggregation: 'trend', ...month },
  'active_days 30d': { aggregation: 'active_days', ...month },
  'longest_streak 30d': { aggregation: 'longest_streak', ...month },
  'sessions_count 30d': { aggregation: 'sessions_count', gapMs: 1_800_000, ...month },
  'max 30d': { aggregation: 'max', ...amount, ...month },
  'last 30d': { aggregation: 'last', ...amount, ...month },
  'distinct 30d': { aggregation: 'distinct', ...ids, ...month },
  'distinct, life': { aggregation: 'distinct', ...ids },
  'top_count 30d': { aggregation: 'top_count', rank: 1, ...ids, ...month },
  'entropy, life': { aggregation: 'entropy', ...ids },
  gap_mean: { aggregation: 'gap_mean' },
  gap_std: { aggregation: 'gap_std' },
  gap_quantile: { aggregation: 'gap_quantile', quantile: 0.5 },
  regularity: { aggregation: 'regularity' },
};

const events = Array.from({ length: 600 }, (_, i) => ({
  messageId: `m${i}`,
  type: 'track',
  name: 'Order Completed',
  timestampMs: Date.UTC(2024, 0, 1) + Math.floor((i * DAY_MS) / 5),
  properties: {
    revenue: 19.99 + i,
    products: [{ product_id: `p${(i * 7) % 500}` }, { product_id: `p${(i * 3) % 500}` }],
  },
}));

const lines = Object.entries(features).map(([name, feature]) => {
  const base = { name: 'x', unit: 'x', event: { type: 'track', name: 'Order Completed' } };
  const spec = compileFeatures([{ ...base, ...feature }], { repeatedOrders: 'each' });
  const state = fold(spec);
  const bytes = spec.encode(state).length - spec.encode(spec.empty).length;
  return { name, spec, state, bytes, applyUs: [], vectorUs: [] };
});

for (let round = 0; round < ROUNDS; round += 1) {
  for (const { spec, state, applyUs, vectorUs } of lines) {
    applyUs.push(toMicros(() => repeat(FOLDS, () => fold(spec))) / (FOLDS * events.length));
    vectorUs.push(toMicros(() => repeat(VECTORS, () => spec.vector(state, state.asOfMs))) / VECTORS);
  }
}
for (const { name, bytes, applyUs, vectorUs } of lines) {
  const figures = `${toMedian(applyUs)} us an event, ${toMedian(vectorUs)} us a vector, ${bytes} bytes`;
  process.stdout.write(`${name}: ${figures}\n`);
}

function fold(spec) {
  let state = spec.empty;
  for (const event of events) state = spec.apply(state, event).state;
  return state;
}

function repeat(count, work) {
  for (let i = 0; i < count; i += 1) work();
}

function toMicros(work) {
  const startedAt = performance.now();
  work();
  return (performance.now() - startedAt) * 1_000;
}

function toMedian(all) {
  return all.sort((a, b) => a - b)[Math.floor(all.length / 2)].toFixed(1);
}
