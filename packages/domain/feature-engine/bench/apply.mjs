// Speed and size of the engine: `pnpm --filter @perennial/feature-engine bench` (after a build). Medians of several runs;
// what counts is the ratio between the lines, not the figures of one machine. With the folder of another build as argument
// (`node bench/apply.mjs ../before/dist`) both run in turns, and each figure is followed by its ratio to the other build's.
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import * as engine from '../dist/index.js';

const compile = ({ compileFeatures, ECOMMERCE_FEATURES }) => compileFeatures(ECOMMERCE_FEATURES);
const other = process.argv[2] && createRequire(import.meta.url)(resolve(process.argv[2], 'index.js'));
const builds = [engine, ...(other ? [other] : [])].map(compile);

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2024, 0, 1);
const ROUNDS = 15;

const profiles = [
  { name: '5 orders in 100 days, 3 products each', events: 5, everyMs: 20 * DAY_MS, products: 3 },
  { name: '60 orders in a year, 20 products each', events: 60, everyMs: 6 * DAY_MS, products: 20 },
  { name: '300 events in 30 days, no products', events: 300, everyMs: DAY_MS / 10, products: 0 },
  { name: '5,000 events in one day', events: 5_000, everyMs: DAY_MS / 5_000, products: 0 },
];

for (const profile of profiles) {
  const events = Array.from({ length: profile.events }, (_, i) => toEvent(i, profile));
  const repeats = Math.max(1, Math.round(20_000 / events.length));
  const runs = builds.map((features) => {
    const state = fold(features, events);
    const bytes = features.encode(state);
    return {
      bytes: bytes.length,
      'applies/s': [repeats * events.length, () => times(repeats, () => fold(features, events))],
      'vectors/s': [20_000, () => times(20_000, () => features.vector(state, state.asOfMs))],
      'encodes/s': [5_000, () => times(5_000, () => features.encode(state))],
      'decodes/s': [5_000, () => times(5_000, () => features.decode(bytes))],
    };
  });
  report(
    profile.name,
    Object.keys(runs[0]).map((figure) => [figure, measure(runs.map((run) => run[figure]))]),
  );
}

function toEvent(i, { everyMs, products }) {
  const items = Array.from({ length: products }, (_, k) => ({ product_id: `sku-${(i * 7 + k * k) % 500}` }));
  const order = {
    type: 'track',
    name: 'Order Completed',
    properties: { order_id: `o-${i}`, revenue: 19.99 + i, products: items },
  };
  const page = { type: 'page', name: 'Home', properties: {} };
  const kind = products > 0 ? order : page;
  return { ...kind, messageId: `4f1b2c3d-0000-4000-8000-${i}`, timestampMs: START_MS + Math.floor(i * everyMs) };
}

function fold(features, events) {
  let state = features.empty;
  for (const event of events) state = features.apply(state, event).state;
  return state;
}

function times(count, work) {
  for (let i = 0; i < count; i += 1) work();
}

/** The median of each build; the builds take turns, so that a busy machine slows all of them. */
function measure(runs) {
  if (typeof runs[0] === 'number') return runs;
  for (const [, work] of runs) work();
  const rates = runs.map(() => []);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, [count, work]] of runs.entries()) {
      const startedAt = performance.now();
      work();
      rates[index].push((count / (performance.now() - startedAt)) * 1000);
    }
  }
  return rates.map((all) => Math.round(all.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]));
}

function report(name, figures) {
  const texts = figures.map(([figure, [own, before]]) => {
    const ratio = before === undefined ? '' : ` (${(own / before).toFixed(2)})`;
    return `${own.toLocaleString('en')}${ratio} ${figure}`;
  });
  process.stdout.write(`${name}: ${texts.join(', ')}\n`);
}
