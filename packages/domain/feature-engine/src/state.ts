import { EMPTY_PRODUCTS, type ProductSketch } from './product-sketch.js';
import { DAY_MS, HOUR_MS, PRODUCT_WINDOW_DAYS, toFirstTile } from './spec.js';
import { EMPTY_HASHES, type StampedHashes } from './stamped-hashes.js';
import type { Tiles } from './tiles.js';

/** Log time for which a message id is remembered at least (up to an hour longer), so that a late retry changes nothing. */
export const MESSAGE_MEMORY_MS = 24 * HOUR_MS;

/** Message ids remembered for one profile at most; the oldest go first, and are counted. */
export const MESSAGE_IDS_MAX = 4_096;

/** The longest window of whole days, and the longest of whole hours. */
export const DAY_WINDOW_MAX_MS = 365 * DAY_MS;
export const HOUR_WINDOW_MAX_MS = 7 * DAY_MS;

/** The folded events of one profile. Immutable: every function of the engine returns a new one or the one it got. */
export interface EngineState {
  /** Latest time the state knows of: the greatest of all event times and `advance` times, 0 for a state of nothing. */
  readonly asOfMs: number;
  readonly events: number;
  readonly orders: number;
  /** Exact while below 2^53 units of 1e-4, that is 9e11. */
  readonly revenueUnits: number;
  /** Times of the earliest and the latest order; meaningless while there are no orders. */
  readonly firstOrderMs: number;
  readonly lastOrderMs: number;
  /** One-hour tiles of the windows up to 7 d; orders and events only. */
  readonly hours: Tiles;
  /** One-day tiles (UTC) of the longer windows. */
  readonly days: Tiles;
  readonly products: ProductSketch;
  /** Hash of each message id, with the hour of log time in which it arrived. */
  readonly messages: StampedHashes;
  /** Ids that the bound made it forget early. */
  readonly messagesDropped: number;
}

const EMPTY_STATE: EngineState = Object.freeze({
  asOfMs: 0,
  events: 0,
  orders: 0,
  revenueUnits: 0,
  firstOrderMs: 0,
  lastOrderMs: 0,
  hours: [],
  days: [],
  products: EMPTY_PRODUCTS,
  messages: EMPTY_HASHES,
  messagesDropped: 0,
});

/** The state of a profile without events. */
export function createEmptyState(): EngineState {
  return EMPTY_STATE;
}

/** The first tiles that any window can still reach at a time: whatever is older is of no use to any later vector. */
export interface Reach {
  readonly hour: number;
  readonly day: number;
  readonly productDay: number;
  readonly messageHour: number;
}

export function toReach(atMs: number): Reach {
  return {
    hour: toFirstTile(atMs, HOUR_WINDOW_MAX_MS),
    day: toFirstTile(atMs, DAY_WINDOW_MAX_MS),
    productDay: toFirstTile(atMs, PRODUCT_WINDOW_DAYS * DAY_MS),
    messageHour: Math.floor((atMs - MESSAGE_MEMORY_MS) / HOUR_MS),
  };
}
