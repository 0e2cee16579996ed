import type { FeatureEvent } from './event.js';
import { advance, apply, merge } from './fold.js';
import { EMPTY_MEMORY } from './id-memory.js';
import type { FeaturePlan } from './plan.js';
import { createEmptyState, type EngineState } from './state.js';

/*
 * A wider spec is filled from the archive while the narrower one goes on: beside the profile's state stands another one,
 * of the wider spec, that begins empty at a position of the log. What the archive gives below that position is merged
 * with it later. Ids of messages and orders are kept once, in the profile's own state.
 */

/** See `CompiledFeatures.foldBeside`. */
export function foldBeside(
  plan: FeaturePlan,
  beside: EngineState | undefined,
  { before, event }: { readonly before: EngineState; readonly event: FeatureEvent },
): EngineState {
  const { messages, orders } = before;
  const { state } = apply(plan, { ...toTime(plan, beside, before.asOfMs), messages, orders }, event);
  return withoutMemories(state);
}

/** See `CompiledFeatures.completeWith`. */
export function completeWith(
  plan: FeaturePlan,
  part: EngineState,
  { beside, own }: { readonly beside: EngineState | undefined; readonly own: EngineState },
): EngineState {
  const filled = toTime(plan, withoutMemories(part), own.asOfMs);
  const whole = beside === undefined ? filled : merge(plan, filled, toTime(plan, beside, own.asOfMs));
  return { ...whole, messages: own.messages, orders: own.orders };
}

function toTime(plan: FeaturePlan, state: EngineState | undefined, asOfMs: number): EngineState {
  return advance(plan, state ?? createEmptyState(plan), asOfMs);
}

/** A state whose ids are kept elsewhere. */
export function withoutMemories(state: EngineState): EngineState {
  return { ...state, messages: EMPTY_MEMORY, orders: EMPTY_MEMORY };
}
