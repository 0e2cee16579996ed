import { ORDER_COMPLETED, readField, toOrderKey } from '@perennial/commerce';
import type { ApplyResult } from '../apply-result.js';
import type { FeatureEvent } from '../event.js';
import { toHash64 } from '../hash.js';
import { rememberId } from '../id-memory.js';
import { ORDER_MEMORY } from '../order-memory.js';
import type { FeaturePlan } from '../plan.js';
import { hasHash } from '../stamped-hashes.js';
import type { EngineState } from '../state.js';
import type { CorrectionRules } from './correction-rules.js';
import {
  type Contribution,
  isTakenBack,
  KEPT_ORDER_BYTES_MAX,
  type KeptOrder,
  keepOrder,
  NO_CORRECTIONS,
} from './corrections.js';
import { recallAll, removeContributions } from './take-back.js';

/** How an event is folded by itself. */
type Fold = (plan: FeaturePlan, state: EngineState, event: FeatureEvent) => ApplyResult;

/**
 * Folds an event under a spec with rules of corrections: a cancelled order is taken back, a newer version of an order
 * replaces it. In whichever order they come, the state is the same.
 */
export function applyCorrecting(
  plan: FeaturePlan,
  rules: CorrectionRules,
  { state, event, fold }: { readonly state: EngineState; readonly event: FeatureEvent; readonly fold: Fold },
): ApplyResult {
  const cancelled = toCancelledId(rules, event);
  if (cancelled !== undefined) {
    const result = fold(plan, state, event);
    return result.applied ? cancel(plan, rules, { result, event, id: cancelled }) : result;
  }
  const id = toOrderId(event);
  if (id === undefined || isKnownMessage(state, event)) return fold(plan, state, event);
  const found = findKept(state, id);
  const version = readVersion(event.properties);
  if (found === undefined) {
    const result = fold(plan, state, event);
    return result.applied && result.known === undefined ? keep(rules, result, toKept({ id, version, event })) : result;
  }
  if (found.contributions.length === 0 || version < found.version) return { state, applied: false, known: 'order' };
  if (version === found.version) {
    const result = fold(plan, state, event);
    // The ids of orders are forgotten before what is kept of them: then this order would count as another one.
    if (result.applied && result.known === undefined) return { state, applied: false, known: 'order' };
    const added: Contribution = { event: withoutOutliers(event), added: 'amount' };
    return result.applied ? keep(rules, result, { ...found, contributions: [...found.contributions, added] }) : result;
  }
  const taken = removeContributions(plan, state, found.contributions);
  const result = keep(rules, fold(plan, taken.state, event), toKept({ id, version, event }));
  const takenBack = recallAll(state.corrections, found.contributions);
  return { ...result, correction: { result: 'taken_back', cannot: taken.cannot }, takenBack };
}

function cancel(
  plan: FeaturePlan,
  rules: CorrectionRules,
  { result, event, id }: { readonly result: ApplyResult; readonly event: FeatureEvent; readonly id: string },
): ApplyResult {
  const { state } = result;
  const found = findKept(state, id);
  const contributions = found?.contributions ?? [];
  const taken = removeContributions(plan, state, contributions);
  const takenBack = recallAll(state.corrections, contributions);
  // Whatever comes of this order later is known.
  const orders = rememberId(taken.state.orders, toHash64(id), state.asOfMs, ORDER_MEMORY);
  const isRepeated = found?.contributions.length === 0;
  const atMs = isRepeated ? Math.max(event.timestampMs, found.atMs) : event.timestampMs;
  const order = { id, version: 0, atMs, contributions: [] };
  const marked = keep(rules, { ...result, state: { ...taken.state, orders } }, order);
  const kind = isRepeated
    ? 'repeated'
    : found !== undefined
      ? 'taken_back'
      : isOrderKnown(state, id)
        ? 'not_kept'
        : 'early';
  const correction = { result: kind, cannot: taken.cannot } as const;
  return takenBack.length === 0 ? { ...marked, correction } : { ...marked, correction, takenBack };
}

function isOrderKnown({ orders: { ids } }: EngineState, id: string): boolean {
  return hasHash(ids, toHash64(id)) || hasHash(ids, toHash64(`${id}?`));
}

/** An order of whose content too little can be kept is not kept at all. */
function keep(rules: CorrectionRules, result: ApplyResult, order: KeptOrder): ApplyResult {
  const { state } = result;
  const { corrections = NO_CORRECTIONS } = state;
  const isTooLarge = order.contributions.some(
    ({ event }) => Buffer.byteLength(JSON.stringify(event.properties ?? null)) > KEPT_ORDER_BYTES_MAX,
  );
  const kept = isTooLarge
    ? corrections.kept.filter(({ id }) => id !== order.id)
    : keepOrder(corrections.kept, order, { keep: rules.keep, asOfMs: state.asOfMs });
  return { ...result, state: { ...state, corrections: { ...corrections, kept } } };
}

function toKept({ id, version, event }: { id: string; version: number; event: FeatureEvent }): KeptOrder {
  return { id, version, atMs: event.timestampMs, contributions: [{ event: withoutOutliers(event), added: 'all' }] };
}

/** These are remembered of every event: see `kept-out.ts`. */
function withoutOutliers({ outliers: _, ...event }: FeatureEvent): FeatureEvent {
  return event;
}

function findKept({ corrections }: EngineState, id: string): KeptOrder | undefined {
  return corrections?.kept.find((order) => order.id === id);
}

function isKnownMessage({ messages, corrections }: EngineState, { messageId }: FeatureEvent): boolean {
  const id = toHash64(messageId);
  return hasHash(messages.ids, id) || isTakenBack(corrections, id);
}

function toOrderId({ type, name, properties }: FeatureEvent): string | undefined {
  return type === 'track' ? toOrderKey(name, properties) : undefined;
}

function toCancelledId({ cancelled }: CorrectionRules, { type, name, properties }: FeatureEvent): string | undefined {
  return type === 'track' && cancelled.includes(name) ? toOrderKey(ORDER_COMPLETED, properties) : undefined;
}

/** A number, or a text that is one; 0 for anything else. */
function readVersion(properties: unknown): number {
  const value = readField(properties, 'version');
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : 0;
}
