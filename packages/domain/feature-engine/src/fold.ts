import { AppError } from '@perennial/kernel';
import { checkEvent, type FeatureEvent } from './event.js';
import { type Hash64, toHash64 } from './hash.js';
import { forgetIds, rememberId, uniteMemories } from './message-memory.js';
import type { FeaturePlan } from './plan.js';
import { hasHash } from './stamped-hashes.js';
import { checkSpec, createEmptyState, type EngineState, mapSlots } from './state.js';

/** Result of folding one event. */
export interface ApplyResult {
  readonly state: EngineState;
  /** False for a repeated message id: then `state` is the object passed in. */
  readonly applied: boolean;
}

/** See `CompiledFeatures.apply`. */
export function apply(plan: FeaturePlan, state: EngineState, event: FeatureEvent): ApplyResult {
  checkSpec(plan, state);
  checkEvent(event);
  const id = toHash64(event.messageId);
  if (hasHash(state.messages.ids, id)) return { state, applied: false };
  return { state: fold(plan, state, event, id), applied: true };
}

function fold(plan: FeaturePlan, state: EngineState, event: FeatureEvent, id: Hash64): EngineState {
  const asOfMs = Math.max(state.asOfMs, event.timestampMs);
  const numbers: number[] = [];
  for (const stream of plan.numbers) numbers.push(stream.toNumber(event));
  const ids: Array<readonly string[]> = [];
  for (const stream of plan.ids) ids.push(stream.toIds(event));
  const measured = { timestampMs: event.timestampMs, numbers, ids };
  const slots = state.slots.slice();
  for (let index = 0; index < slots.length; index += 1) {
    slots[index] = plan.slots[index]?.add(slots[index], measured, asOfMs);
  }
  return { specHash: plan.specHash, asOfMs, slots, messages: rememberId(state.messages, id, asOfMs) };
}

/** See `CompiledFeatures.advance`. */
export function advance(plan: FeaturePlan, state: EngineState, nowMs: number): EngineState {
  checkSpec(plan, state);
  if (!Number.isSafeInteger(nowMs))
    throw new AppError('contract_violation', `time ${nowMs} is not a whole number of milliseconds`);
  if (nowMs <= state.asOfMs) return state;
  const slots = mapSlots(plan, state.slots, (accumulator, slot) => accumulator.advance(slot, nowMs));
  return { ...state, asOfMs: nowMs, slots, messages: forgetIds(state.messages, nowMs) };
}

/** See `CompiledFeatures.merge`. */
export function merge(plan: FeaturePlan, left: EngineState, right: EngineState): EngineState {
  const asOfMs = Math.max(left.asOfMs, right.asOfMs);
  const a = advance(plan, left, asOfMs);
  const b = advance(plan, right, asOfMs);
  const slots = plan.slots.map((accumulator, index) =>
    accumulator.advance(accumulator.merge(a.slots[index], b.slots[index]), asOfMs),
  );
  return { specHash: plan.specHash, asOfMs, slots, messages: uniteMemories(a.messages, b.messages, asOfMs) };
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
  return { ...createEmptyState(plan), asOfMs: state.asOfMs, slots, messages: state.messages };
}
