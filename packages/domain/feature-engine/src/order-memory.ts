import { toOrderKey } from '@perennial/commerce';
import { type FeatureEvent, toEventAmount } from './event.js';
import { type Hash64, toHash64 } from './hash.js';
import { type IdMemory, type IdMemoryLimits, rememberId } from './id-memory.js';
import { filterEntries, hasHash, isHashAt } from './stamped-hashes.js';
import { DAY_MS } from './time.js';

/** Maximum orders remembered per profile; the oldest are forgotten first, and counted. */
export const ORDER_IDS_MAX = 256;

/** Client and server send the same order within minutes, a backfill beside live events within weeks. */
export const ORDER_MEMORY: IdMemoryLimits = { keptMs: 30 * DAY_MS, stampMs: DAY_MS, idsMax: ORDER_IDS_MAX };

/** Whether an order that is sent under several message ids counts once (the default) or each time. */
export const REPEATED_ORDERS = ['once', 'each'] as const;
export type RepeatedOrders = (typeof REPEATED_ORDERS)[number];

/**
 * What a profile knows of an event's order. `new`: nothing; `repeated`: all that the event says; `completed`: the order,
 * but no amount of it, which this event has. `unknown`: the event is of no order that has an id.
 */
export type OrderSighting =
  | { readonly kind: 'unknown' | 'repeated' }
  /** `id` is to be remembered: one hash for an order whose amount counted, another one for an order without any. */
  | { readonly kind: 'new'; readonly id: Hash64 }
  | { readonly kind: 'completed'; readonly id: Hash64; readonly bareId: Hash64 };

const UNKNOWN: OrderSighting = { kind: 'unknown' };
const REPEATED: OrderSighting = { kind: 'repeated' };

/** Looks an event's order up. */
export function findOrder({ ids }: IdMemory, event: FeatureEvent): OrderSighting {
  const key = event.type === 'track' ? toOrderKey(event.name, event.properties) : undefined;
  if (key === undefined) return UNKNOWN;
  const id = toHash64(key);
  if (hasHash(ids, id)) return REPEATED;
  const hasAmount = toEventAmount(event) !== undefined;
  // Most orders come to a memory without any: no second hash then.
  if (hasAmount && ids.stamps.length === 0) return { kind: 'new', id };
  const bareId = toHash64(`${key}?`);
  if (!hasHash(ids, bareId)) return { kind: 'new', id: hasAmount ? id : bareId };
  return hasAmount ? { kind: 'completed', id, bareId } : REPEATED;
}

/** The memory with an order that was just counted. A completed one is no longer bare. */
export function rememberOrder(memory: IdMemory, sighting: OrderSighting, asOfMs: number): IdMemory {
  switch (sighting.kind) {
    case 'unknown':
    case 'repeated':
      return memory;
    case 'new':
      return rememberId(memory, sighting.id, asOfMs, ORDER_MEMORY);
    case 'completed': {
      const ids = filterEntries(memory.ids, (_stamp, index) => !isHashAt(memory.ids, index, sighting.bareId));
      return rememberId({ ...memory, ids }, sighting.id, asOfMs, ORDER_MEMORY);
    }
  }
}

/** The memory without an order that was taken back, or with it as one whose amount is unknown. */
export function forgetOrder(
  memory: IdMemory,
  event: FeatureEvent,
  { added, asOfMs }: { readonly added: 'all' | 'amount'; readonly asOfMs: number },
): IdMemory {
  const key = event.type === 'track' ? toOrderKey(event.name, event.properties) : undefined;
  if (key === undefined) return memory;
  const [id, bareId] = [toHash64(key), toHash64(`${key}?`)];
  const isKept = (index: number) => !isHashAt(memory.ids, index, id) && !isHashAt(memory.ids, index, bareId);
  const ids = filterEntries(memory.ids, (_stamp, index) => isKept(index));
  return added === 'all' ? { ...memory, ids } : rememberId({ ...memory, ids }, bareId, asOfMs, ORDER_MEMORY);
}
