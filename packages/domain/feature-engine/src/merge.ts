import { advance } from './advance.js';
import { mergeProducts } from './product-sketch.js';
import { pruneState } from './prune.js';
import { uniteHashes } from './stamped-hashes.js';
import type { EngineState } from './state.js';
import { mergeTiles } from './tiles.js';

/**
 * Two profiles in one, as if all their events had been folded into a single state. Associative and commutative. An event
 * that both have folded counts twice: profiles that join have had different events.
 */
export function merge(left: EngineState, right: EngineState): EngineState {
  const asOfMs = Math.max(left.asOfMs, right.asOfMs);
  const a = advance(left, asOfMs);
  const b = advance(right, asOfMs);
  return pruneState({
    asOfMs,
    events: a.events + b.events,
    orders: a.orders + b.orders,
    revenueUnits: a.revenueUnits + b.revenueUnits,
    firstOrderMs: pickOrderTime(a, b, Math.min(a.firstOrderMs, b.firstOrderMs), 'firstOrderMs'),
    lastOrderMs: pickOrderTime(a, b, Math.max(a.lastOrderMs, b.lastOrderMs), 'lastOrderMs'),
    hours: mergeTiles(a.hours, b.hours),
    days: mergeTiles(a.days, b.days),
    products: mergeProducts(a.products, b.products),
    messages: uniteHashes(a.messages, b.messages),
    messagesDropped: a.messagesDropped + b.messagesDropped,
  });
}

/** A state without orders has no say in their times. */
function pickOrderTime(a: EngineState, b: EngineState, both: number, field: 'firstOrderMs' | 'lastOrderMs'): number {
  if (a.orders === 0) return b[field];
  return b.orders === 0 ? a[field] : both;
}
