import { AppError } from '@perennial/kernel';
import type { ApplyResult } from './apply-result.js';
import { applyCorrecting } from './corrections/correct.js';
import { type Corrections, forgetCorrections, isTakenBack } from './corrections/corrections.js';
import { pickKeptOut, rememberKeptOut, toKeptOut } from './corrections/kept-out.js';
import { mergeCorrections } from './corrections/merge-corrections.js';
import { checkEvent, type FeatureEvent } from './event.js';
import { type Hash64, toHash64 } from './hash.js';
import { forgetIds, rememberId, uniteMemories } from './id-memory.js';
import { measure } from './measure.js';
import { MESSAGE_MEMORY } from './message-memory.js';
import { findOrder, ORDER_MEMORY, type OrderSighting, rememberOrder } from './order-memory.js';
import type { FeaturePlan } from './plan.js';
import { isBefore } from './reach.js';
import { hasHash } from './stamped-hashes.js';
import { checkSpec, createEmptyState, type EngineState, mapSlots, withCorrections } from './state.js';
import type { MeasuredEvent } from './streams.js';

/** See `CompiledFeatures.apply`. */
export function apply(plan: FeaturePlan, state: EngineState, event: FeatureEvent): ApplyResult {
  checkSpec(plan, state);
  checkEvent(event);
  const { corrections } = plan;
  if (corrections === undefined) return applyAlone(plan, state, event);
  return applyCorrecting(plan, corrections, { state, event, fold: applyAlone });
}

function applyAlone(plan: FeaturePlan, state: EngineState, event: FeatureEvent): ApplyResult {
  const id = toHash64(event.messageId);
  if (hasHash(state.messages.ids, id) || isTakenBack(state.corrections, id))
    return { state, applied: false, known: 'message' };
  const order: OrderSighting = plan.repeatedOrders === 'once' ? findOrder(state.orders, event) : { kind: 'unknown' };
  if (order.kind === 'repeated') return { state, applied: false, known: 'order' };
  const measured = measure(plan, event, { isCompletion: order.kind === 'completed' });
  const after = rememberKeptOut(plan, fold(plan, state, measured, { id, order }), event);
  const isTooLate = isBefore(plan.reaches, event.timestampMs, after.asOfMs);
  const result: ApplyResult =
    order.kind === 'completed'
      ? { state: after, applied: true, isTooLate, known: 'order_without_amount' }
      : { state: after, applied: true, isTooLate };
  return measured.failed === undefined ? result : { ...result, failed: measured.failed };
}

function fold(
  plan: FeaturePlan,
  state: EngineState,
  measured: MeasuredEvent,
  { id, order }: { readonly id: Hash64; readonly order: OrderSighting },
): EngineState {
  const asOfMs = Math.max(state.asOfMs, measured.timestampMs);
  const slots = state.slots.slice();
  for (let index = 0; index < slots.length; index += 1) {
    slots[index] = plan.slots[index]?.add(slots[index], measured, asOfMs);
  }
  const messages = rememberId(state.messages, id, asOfMs, MESSAGE_MEMORY);
  const after = {
    specHash: plan.specHash,
    asOfMs,
    slots,
    messages,
    orders: rememberOrder(state.orders, order, asOfMs),
  };
  return withKnown(plan, after, state.corrections);
}

/** Hardly any profile has been corrected. */
function withKnown(plan: FeaturePlan, state: EngineState, corrections: EngineState['corrections']): EngineState {
  if (corrections === undefined) return state;
  return withCorrections(state, forgetCorrections(corrections, state.asOfMs, plan.sources));
}

/** See `CompiledFeatures.advance`. */
export function advance(plan: FeaturePlan, state: EngineState, nowMs: number): EngineState {
  checkSpec(plan, state);
  if (!Number.isSafeInteger(nowMs))
    throw new AppError('contract_violation', `time ${nowMs} is not a whole number of milliseconds`);
  if (nowMs <= state.asOfMs) return state;
  const slots = mapSlots(plan, state.slots, (accumulator, slot) => accumulator.advance(slot, nowMs));
  const messages = forgetIds(state.messages, nowMs, MESSAGE_MEMORY);
  const orders = forgetIds(state.orders, nowMs, ORDER_MEMORY);
  return withKnown(plan, { ...state, asOfMs: nowMs, slots, messages, orders }, state.corrections);
}

/** See `CompiledFeatures.merge`. */
export function merge(plan: FeaturePlan, left: EngineState, right: EngineState): EngineState {
  const asOfMs = Math.max(left.asOfMs, right.asOfMs);
  const a = advance(plan, left, asOfMs);
  const b = advance(plan, right, asOfMs);
  const slots = plan.slots.map((accumulator, index) =>
    accumulator.advance(accumulator.merge(a.slots[index], b.slots[index]), asOfMs),
  );
  const messages = uniteMemories([a.messages, b.messages], asOfMs, MESSAGE_MEMORY);
  const orders = uniteMemories([a.orders, b.orders], asOfMs, ORDER_MEMORY);
  return mergeCorrections(plan, { specHash: plan.specHash, asOfMs, slots, messages, orders }, [a, b]);
}

/** See `CompiledFeatures.adopt`. */
export function adopt(plan: FeaturePlan, from: FeaturePlan, state: EngineState): EngineState {
  checkSpec(from, state);
  if (from.specHash === plan.specHash) return state;
  const slots = plan.slots.map((accumulator) => {
    const index = from.slots.findIndex(({ key }) => key === accumulator.key);
    const source = from.slots[index];
    if (source === undefined) return accumulator.empty;
    return accumulator.advance(accumulator.adopt(state.slots[index], source.columns), state.asOfMs);
  });
  const { asOfMs, messages, orders } = state;
  const adopted = { ...createEmptyState(plan), asOfMs, slots, messages, orders };
  return withKnown(plan, adopted, state.corrections && adoptCorrections(plan, from, state.corrections));
}

/** Features that both specs have still have what could not be taken back. */
function adoptCorrections(plan: FeaturePlan, from: FeaturePlan, corrections: Corrections): Corrections {
  const meaningOf = ({ sources, hashes }: FeaturePlan) =>
    new Map(sources.map(({ name }, index) => [name, hashes[index]]));
  const [here, there] = [meaningOf(plan), meaningOf(from)];
  const remaining = Object.entries(corrections.remaining).filter(([name]) => here.get(name) === there.get(name));
  const { keptOut, ...others } = corrections;
  return { ...others, ...toKeptOut(pickKeptOut(plan, keptOut)), remaining: Object.fromEntries(remaining) };
}
