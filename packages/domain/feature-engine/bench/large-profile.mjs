// How reading a profile depends on the number of its events: `node bench/large-profile.mjs [EVENTS]` (after a build). Each
// profile has so many events in one year, three in ten orders of three products out of 20,000; the preset is e-commerce. A
// read is a decode and a vector, as the service does it; CPU time, medians of rounds in turns, and the ratio to 10 events.
import { readFileSync } from 'node:fs';
import { compileFeatures, DAY_MS, MEMORY_BYTES_MAX, requireFeatureFile, toBytesMax } from '../dist/index.js';

const ROUNDS = 15;
const READS = 30;
const EVENTS_MAX = Number(process.argv[2] ?? 1_000_000);
const START_MS = Date.UTC(2025, 0, 1);

const path = new URL('../../../../infra/presets/ecommerce/features.yaml', import.meta.url);
const { definitions, rules } = requireFeatureFile(readFileSync(path), 'features.yaml');
const spec = compileFeatures(definitions, rules);
const bytesMax = definitions.reduce((sum, definition) => sum + toBytesMax(definition), MEMORY_BYTES_MAX);

const profiles = [10, 1_000, 100_000, EVENTS_MAX].map((events) => ({
  events,
  bytes: fold(events),
  readUs: [],
  decodeUs: [],
}));
for (let round = 0; round <= ROUNDS; round += 1) {
  for (const { bytes, readUs, decodeUs } of profiles) {
    const us = toMicros(() => repeat(() => read(bytes))) / READS;
    const ofDecode = toMicros(() => repeat(() => spec.decodeToRead(bytes))) / READS;
    // The first round compiles.
    if (round === 0) continue;
    readUs.push(us);
    decodeUs.push(ofDecode);
  }
}
const base = toMedian(profiles[0].readUs);
for (const { events, bytes, readUs, decodeUs } of profiles) {
  const us = toMedian(readUs);
  const figures = `${us.toFixed(0)} us a read (decode ${toMedian(decodeUs).toFixed(0)}), ratio ${(us / base).toFixed(2)}, ${bytes.length.toLocaleString('en')} bytes`;
  process.stdout.write(
    `${events.toLocaleString('en')} events: ${figures} of at most ${bytesMax.toLocaleString('en')}\n`,
  );
}
// The bound holds whatever a profile does.
if (profiles.some(({ bytes }) => bytes.length > bytesMax)) process.exitCode = 1;

function fold(count) {
  let state = spec.empty;
  for (let i = 0; i < count; i += 1) state = spec.apply(state, toEvent(i, count)).state;
  return spec.encode(state);
}

function toEvent(i, count) {
  const timestampMs = START_MS + Math.floor((i * 365 * DAY_MS) / count);
  if (i % 10 > 2) return { messageId: `m${i}`, type: 'page', name: 'Home', timestampMs, properties: {} };
  const products = [1, 2, 3].map((k) => ({ product_id: `sku-${(i * 7 + k * 6_661) % 20_000}` }));
  const properties = { order_id: `o${i}`, revenue: 19.99 + (i % 100), products };
  return { messageId: `m${i}`, type: 'track', name: 'Order Completed', timestampMs, properties };
}

function read(bytes) {
  const state = spec.decodeToRead(bytes);
  return spec.vector(state, state.asOfMs);
}

function repeat(work) {
  for (let i = 0; i < READS; i += 1) work();
}

/** CPU time, since other programs may run. */
function toMicros(work) {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function toMedian(all) {
  return all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)];
}
