import { type Corrections, NO_CORRECTIONS } from './corrections/corrections.js';
import { pickKeptOut, toKeptOut, uniteKeptOut } from './corrections/kept-out.js';
import { removeOne, type TakeBack, takeBack } from './corrections/take-back.js';
import type { FeatureEvent } from './event.js';
import { advance, apply, merge } from './fold.js';
import { EMPTY_MEMORY } from './id-memory.js';
import type { FeaturePlan } from './plan.js';
import { createEmptyState, type EngineState, withCorrections } from './state.js';

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
  return withoutMemories(apply(plan, withMemories(plan, beside, before), event).state);
}

/** See `CompiledFeatures.takeBackBeside`. */
export function takeBackBeside(
  plan: FeaturePlan,
  beside: EngineState | undefined,
  { before, ...taken }: TakeBack & { readonly before: EngineState },
): EngineState {
  const state = advance(plan, withMemories(plan, beside, before), taken.receivedAtMs);
  return withoutMemories(takeBack(plan, state, taken).state);
}

/** With what the profile's own state knows of messages and orders. What is taken back waits: the archive may have it. */
function withMemories(plan: FeaturePlan, beside: EngineState | undefined, before: EngineState): EngineState {
  const { messages, orders, corrections = NO_CORRECTIONS } = before;
  const pending = beside?.corrections?.pending ?? [];
  const { keptOut: known, ...others } = corrections;
  const keptOut = toKeptOut(uniteKeptOut(pickKeptOut(plan, known), beside?.corrections?.keptOut));
  return {
    ...toTime(plan, beside, before.asOfMs),
    messages,
    orders,
    corrections: { ...others, pending, ...keptOut },
  };
}

/** The state of a profile of which others have a part. */
export function createEmptyPart(plan: FeaturePlan): EngineState {
  return { ...createEmptyState(plan), corrections: { ...NO_CORRECTIONS, pending: [] } };
}

/** See `CompiledFeatures.completeWith`. */
export function completeWith(
  plan: FeaturePlan,
  part: EngineState,
  { beside, own }: { readonly beside: EngineState | undefined; readonly own: EngineState },
): EngineState {
  const filled = toTime(plan, withoutMemories(part), own.asOfMs);
  const whole = beside === undefined ? filled : merge(plan, filled, toTime(plan, beside, own.asOfMs));
  const pending = whole.corrections?.pending ?? [];
  const keptOut = toKeptOut(uniteKeptOut(whole.corrections?.keptOut, pickKeptOut(plan, own.corrections?.keptOut)));
  let complete = withCorrections(whole, { ...NO_CORRECTIONS, ...keptOut });
  for (const contribution of pending) complete = removeOne(plan, complete, contribution).state;
  const { keptOut: _, ...known } = own.corrections ?? NO_CORRECTIONS;
  const corrections = { ...known, ...pickRemaining(complete), ...keptOut };
  return withCorrections({ ...complete, messages: own.messages, orders: own.orders }, corrections);
}

function pickRemaining({ corrections }: EngineState): Pick<Corrections, 'remaining'> {
  return { remaining: corrections?.remaining ?? {} };
}

function toTime(plan: FeaturePlan, state: EngineState | undefined, asOfMs: number): EngineState {
  return advance(plan, state ?? createEmptyState(plan), asOfMs);
}

/** A state whose ids are kept elsewhere. */
export function withoutMemories(state: EngineState): EngineState {
  const { pending = [], keptOut = [] } = state.corrections ?? NO_CORRECTIONS;
  const rest = withCorrections({ ...state, messages: EMPTY_MEMORY, orders: EMPTY_MEMORY }, undefined);
  const known = { ...(pending.length === 0 ? {} : { pending }), ...toKeptOut(keptOut) };
  return withCorrections(rest, { ...NO_CORRECTIONS, ...known });
}
