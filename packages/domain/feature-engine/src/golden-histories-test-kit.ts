import type { FeatureEvent } from './event.js';

/** The next step of a profile: time advances, then an event comes. */
export interface GoldenStep {
  /** Set when the processor advances the time before the event. */
  readonly advanceToMs: number | undefined;
  readonly event: FeatureEvent;
}

/** Histories of the golden test. Fixture and test must generate the same, so this file must never be changed. */
export const GOLDEN_SEEDS: readonly number[] = Array.from({ length: 40 }, (_, index) => 1_000 + 7 * index);

/** How far after a state's own time a vector is computed. */
export const GOLDEN_LATER_MS: readonly number[] = [0, 3_600_000, 7 * 86_400_000 + 1, 91 * 86_400_000, 366 * 86_400_000];

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START_MS = Date.UTC(2023, 10, 14, 7, 33, 12, 345);
const AMOUNTS: readonly unknown[] = [
  19.99,
  '12.3456',
  0.1,
  -3.5,
  0,
  '',
  null,
  Number.NaN,
  'twelve',
  '0x10',
  1e9,
  1e10,
  0.00005,
  123456.789,
];
const NAMES = ['Order Completed', 'Order Completed', 'Order Completed', 'Order Refunded', 'order completed', 'Viewed'];

/** The history of a seed: orders, refunds and other events, some late, repeated or with invalid amounts. */
export function toGoldenHistory(seed: number): GoldenStep[] {
  const draw = createDraw(seed);
  // Every tenth has so many products that they are sampled.
  const productsMax = seed % 10 === 0 ? 1_500 : 6;
  const count = 1 + Math.floor(draw() * 60);
  let nowMs = START_MS;
  return Array.from({ length: count }, (_, index) => {
    nowMs += toStepMs(draw);
    const lateMs = draw() < 0.2 ? toStepMs(draw) : 0;
    const isReported = draw() < 0.4;
    const id = draw() < 0.1 ? Math.floor(draw() * index) : index;
    return {
      advanceToMs: isReported ? nowMs : undefined,
      event: toEvent(draw, { id: `${seed}-${id}`, timestampMs: nowMs - lateMs, productsMax }),
    };
  });
}

function toEvent(draw: () => number, at: { id: string; timestampMs: number; productsMax: number }): FeatureEvent {
  const type = pick(draw, ['track', 'track', 'track', 'track', 'page', 'identify']);
  const name = pick(draw, NAMES);
  const amount = pick(draw, AMOUNTS);
  const field = pick(draw, ['revenue', 'revenue', 'revenue', 'total', 'value']);
  const items = Array.from({ length: Math.floor(draw() * at.productsMax) }, () => toItem(draw));
  const listed = draw() < 0.8 ? { products: items } : { ...items[0] };
  return {
    messageId: at.id,
    type,
    name,
    timestampMs: at.timestampMs,
    properties: { [field]: amount, ...listed },
  };
}

function toItem(draw: () => number): Record<string, unknown> {
  const id = Math.floor(draw() * 20_000);
  const kind = draw();
  if (kind < 0.7) return { product_id: `p${id}` };
  if (kind < 0.85) return { product_id: '', sku: `p${id}` };
  return { product_id: kind < 0.95 ? id : null };
}

function toStepMs(draw: () => number): number {
  const kind = draw();
  if (kind < 0.5) return Math.floor(draw() * HOUR_MS);
  if (kind < 0.9) return Math.floor(draw() * 20 * DAY_MS);
  if (kind < 0.95) return pick(draw, [HOUR_MS, DAY_MS, 7 * DAY_MS, 30 * DAY_MS, 90 * DAY_MS]);
  return Math.floor(draw() * 200 * DAY_MS);
}

function pick<T>(draw: () => number, from: readonly T[]): T {
  return from[Math.floor(draw() * from.length)] as T;
}

/** Mulberry32: numbers in [0, 1), the same on every machine. */
function createDraw(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
