import { toOrderIdentity } from '@perennial/commerce';
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
 * What a profile knows of an event's order. `new`: nothing, or the event is of no known order. `repeated`: all that the
 * event says. `completed`: the order, but no amount of it, which this event has.
 */
export type OrderSighting =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'new' | 'completed' | 'repeated'; readonly id: OrderId };

interface OrderId {
  /** Remembered for an order whose amount counted. */
  readonly whole: Hash64;
  /** Remembered for an order without a known amount. */
  readonly bare: Hash64;
  readonly hasAmount: boolean;
}

const UNKNOWN: OrderSighting = { kind: 'unknown' };

/** Looks an event's order up. */
export function findOrder({ ids }: IdMemory, event: FeatureEvent): OrderSighting {
  const identity = event.type === 'track' ? toOrderIdentity(event.name, event.properties) : undefined;
  if (identity === undefined) return UNKNOWN;
  const id = {
    whole: toHash64(identity),
    bare: toHash64(`${identity}?`),
    hasAmount: toEventAmount(event) !== undefined,
  };
  if (hasHash(ids, id.whole)) return { kind: 'repeated', id };
  if (!hasHash(ids, id.bare)) return { kind: 'new', id };
  return { kind: id.hasAmount ? 'completed' : 'repeated', id };
}

/** The memory with an order that was just counted. A completed one is no longer bare. */
export function rememberOrder(memory: IdMemory, sighting: OrderSighting, asOfMs: number): IdMemory {
  if (sighting.kind === 'unknown') return memory;
  const { whole, bare, hasAmount } = sighting.id;
  const ids =
    sighting.kind === 'completed'
      ? filterEntries(memory.ids, (_stamp, index) => !isHashAt(memory.ids, index, bare))
      : memory.ids;
  return rememberId({ ...memory, ids }, hasAmount ? whole : bare, asOfMs, ORDER_MEMORY);
}
