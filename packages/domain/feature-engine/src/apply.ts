import { checkEvent, type EventMeaning, type FeatureEvent, toMeaning } from './event.js';
import { type Hash64, toHash64 } from './hash.js';
import { addProducts, dropProductsBefore, type ProductSketch } from './product-sketch.js';
import { pruneState } from './prune.js';
import { DAY_MS, HOUR_MS } from './spec.js';
import { addHash, hasHash } from './stamped-hashes.js';
import { createEmptyState, type EngineState, type Reach, toReach } from './state.js';
import { addTile } from './tiles.js';

/** The result of folding one event. */
export interface ApplyResult {
  readonly state: EngineState;
  /** False for a repeated message id: then `state` is the very object that was given. */
  readonly applied: boolean;
}

/**
 * Folds one event, in whatever order events come: each lands in the tiles of its own time. Log time is `state.asOfMs`, so a
 * caller that knows a later one calls `advance` first. Throws `contract_violation` for an event without id or time.
 */
export function apply(before: EngineState | undefined, event: FeatureEvent): ApplyResult {
  checkEvent(event);
  const state = before ?? createEmptyState();
  const id = toHash64(event.messageId);
  if (hasHash(state.messages, id)) return { state, applied: false };
  return { state: pruneState(fold(state, event, id)), applied: true };
}

function fold(state: EngineState, event: FeatureEvent, id: Hash64): EngineState {
  const { timestampMs } = event;
  const asOfMs = Math.max(state.asOfMs, timestampMs);
  const meaning = toMeaning(event);
  const reach = toReach(asOfMs);
  const hour = Math.floor(timestampMs / HOUR_MS);
  const day = Math.floor(timestampMs / DAY_MS);
  const isOrder = meaning.kind === 'order';
  return {
    asOfMs,
    events: state.events + 1,
    orders: state.orders + (isOrder ? 1 : 0),
    revenueUnits: state.revenueUnits + (isOrder ? meaning.revenueUnits : 0),
    firstOrderMs:
      isOrder && (state.orders === 0 || timestampMs < state.firstOrderMs) ? timestampMs : state.firstOrderMs,
    lastOrderMs: isOrder && (state.orders === 0 || timestampMs > state.lastOrderMs) ? timestampMs : state.lastOrderMs,
    hours: hour < reach.hour ? state.hours : addTile(state.hours, toHourTile(hour, isOrder)),
    days: day < reach.day ? state.days : addTile(state.days, toDayTile(day, meaning)),
    products: day < reach.productDay ? state.products : foldProducts(state.products, meaning, { day, reach }),
    messages: addHash(state.messages, id, Math.floor(asOfMs / HOUR_MS)),
    messagesDropped: state.messagesDropped,
  };
}

/** No declared feature asks for money by the hour, so hour tiles leave it out. */
function toHourTile(index: number, isOrder: boolean) {
  return { index, events: 1, orders: isOrder ? 1 : 0, revenueUnits: 0, refunds: 0, refundUnits: 0 };
}

function toDayTile(index: number, meaning: EventMeaning) {
  return {
    index,
    events: 1,
    orders: meaning.kind === 'order' ? 1 : 0,
    revenueUnits: meaning.kind === 'order' ? meaning.revenueUnits : 0,
    refunds: meaning.kind === 'refund' ? 1 : 0,
    refundUnits: meaning.kind === 'refund' ? meaning.amountUnits : 0,
  };
}

/** What has expired goes first, so that only products within the window count towards the exact limit. */
function foldProducts(
  products: ProductSketch,
  meaning: EventMeaning,
  at: { day: number; reach: Reach },
): ProductSketch {
  if (meaning.kind !== 'order') return products;
  return addProducts(dropProductsBefore(products, at.reach.productDay), meaning.productIds.map(toHash64), at.day);
}
