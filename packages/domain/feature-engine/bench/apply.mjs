// Speed and size of the engine: `pnpm --filter @perennial/feature-engine bench` (after a build). Medians of several runs;
// what counts is the ratio between the lines, not the figures of one machine.
import { performance } from 'node:perf_hooks';
import { compileFeatures, ECOMMERCE_FEATURES } from '../dist/index.js';

const features = compileFeatures(ECOMMERCE_FEATURES);

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2024, 0, 1);
const ROUNDS = 7;

const profiles = [
  { name: '5 orders in 100 days, 3 products each', events: 5, everyMs: 20 * DAY_MS, products: 3 },
  { name: '60 orders in a year, 20 products each', events: 60, everyMs: 6 * DAY_MS, products: 20 },
  { name: '300 events in 30 days, no products', events: 300, everyMs: DAY_MS / 10, products: 0 },
  { name: '5,000 events in one day', events: 5_000, everyMs: DAY_MS / 5_000, products: 0 },
];

for (const profile of profiles) {
  const events = Array.from({ length: profile.events }, (_, i) => toEvent(i, profile));
  const state = fold(events);
  const atMs = state.asOfMs;
  const bytes = features.encode(state);
  const repeats = Math.max(1, Math.round(20_000 / events.length));
  report(profile.name, {
    bytes: bytes.length,
    'applies/s': measure(repeats * events.length, () => times(repeats, () => fold(events))),
    'vectors/s': measure(20_000, () => times(20_000, () => features.vector(state, atMs))),
    'encodes/s': measure(5_000, () => times(5_000, () => features.encode(state))),
    'decodes/s': measure(5_000, () => times(5_000, () => features.decode(bytes))),
  });
}

function toEvent(i, { everyMs, products }) {
  const items = Array.from({ length: products }, (_, k) => ({ product_id: `sku-${(i * 7 + k * k) % 500}` }));
  const order = { type: 'track', name: 'Order Completed', properties: { revenue: 19.99 + i, products: items } };
  const page = { type: 'page', name: 'Home', properties: {} };
  const kind = products > 0 ? order : page;
  return { ...kind, messageId: `4f1b2c3d-0000-4000-8000-${i}`, timestampMs: START_MS + Math.floor(i * everyMs) };
}

function fold(events) {
  let state = features.empty;
  for (const event of events) state = features.apply(state, event).state;
  return state;
}

function times(count, work) {
  for (let i = 0; i < count; i += 1) work();
}

function measure(count, work) {
  work();
  const rates = Array.from({ length: ROUNDS }, () => {
    const startedAt = performance.now();
    work();
    return (count / (performance.now() - startedAt)) * 1000;
  });
  return Math.round(rates.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]);
}

function report(name, figures) {
  const text = Object.entries(figures).map(([key, value]) => `${value.toLocaleString('en')} ${key}`);
  process.stdout.write(`${name}: ${text.join(', ')}\n`);
}
