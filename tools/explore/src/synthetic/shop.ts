import { createSeededRandom } from '@perennial/kernel';
import type { SyntheticEvent, SyntheticTick } from './archive-writer.js';

export interface ShopOptions {
  readonly seed: number;
  readonly events: number;
  readonly profiles: number;
  readonly startMs: number;
  readonly days: number;
  /** Share of events that arrive up to three days late, and of those sent twice. */
  readonly late: number;
  readonly repeated: number;
}

const DAY_MS = 86_400_000;
const LATE_MAX_MS = 3 * DAY_MS;
const PRODUCTS = 500;
const EVENTS_PER_TICK = 200;
/** Profiles in a session at the same time, and how likely an event begins another. */
const SESSIONS = 30;
const NEW_SESSION = 0.2;
/** How often each kind of event comes, as running totals. */
const KINDS = [
  [0.15, 'page'],
  [0.18, 'identify'],
  [0.7, 'Product Viewed'],
  [0.85, 'Product Added'],
  [0.92, 'Checkout Started'],
  [0.99, 'Order Completed'],
  [1, 'Order Refunded'],
] as const;

/** Events of a shop in the order in which they are received, with ticks: the same for the same options. */
export function* createShop(options: ShopOptions): Generator<SyntheticEvent | SyntheticTick> {
  const random = createSeededRandom(options.seed);
  const stepMs = (options.days * DAY_MS) / options.events;
  // Some profiles do much more than others.
  const draw = () => Math.floor(random() ** 2 * options.profiles);
  const active = Array.from({ length: SESSIONS }, draw);
  let before: SyntheticEvent | undefined;
  for (let index = 0; index < options.events; index += 1) {
    const receivedAtMs = Math.floor(options.startMs + index * stepMs);
    if (index % EVENTS_PER_TICK === 0) yield { tickMs: receivedAtMs };
    if (before !== undefined && random() < options.repeated) {
      yield { ...before, receivedAtMs };
      continue;
    }
    const delayMs = Math.floor(random() < options.late ? random() * LATE_MAX_MS : random() * 2_000);
    const slot = Math.floor(random() * SESSIONS);
    if (random() < NEW_SESSION) active[slot] = draw();
    const event = {
      profileKey: `p${String(active[slot]).padStart(20, '0')}`,
      messageId: `message-${index}`,
      timestampMs: receivedAtMs - delayMs,
      receivedAtMs,
      ...createContent(random, index),
    };
    before = random() < 0.5 || before === undefined ? event : before;
    yield event;
  }
}

function createContent(
  random: () => number,
  index: number,
): Pick<SyntheticEvent, 'type' | 'name' | 'properties' | 'amount'> {
  const draw = random();
  const kind = KINDS.find(([until]) => draw < until)?.[1] ?? 'page';
  if (kind === 'page' || kind === 'identify') return { type: kind, name: '', properties: {} };
  const product = () => ({
    product_id: `sku-${Math.floor(random() ** 2 * PRODUCTS)}`,
    price: Math.ceil(random() * 9_000) / 100,
  });
  if (kind !== 'Order Completed' && kind !== 'Order Refunded')
    return { type: 'track', name: kind, properties: product() };
  const products = Array.from({ length: 1 + Math.floor(random() * 4) }, product);
  const amount = Math.round(products.reduce((sum, { price }) => sum + price, 0) * 100) / 100;
  return {
    type: 'track',
    name: kind,
    properties: { order_id: `order-${index}`, revenue: amount, currency: 'EUR', products },
    amount,
  };
}
