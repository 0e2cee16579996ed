import type { Added } from './corrections/corrections.js';
import { isOutlierForgotten, recallOutliers } from './corrections/kept-out.js';
import { checkEvent, type FeatureEvent } from './event.js';
import { measure } from './measure.js';
import { forgetOrder } from './order-memory.js';
import type { FeaturePlan } from './plan.js';
import { isBefore } from './reach.js';
import { checkSpec, type EngineState } from './state.js';

/** A state from which an event was taken back. */
export interface RetractResult {
  readonly state: EngineState;
  /** Names of the features that still have the event, in the order of the spec: what is kept does not show what it changed. */
  readonly cannot: readonly string[];
}

/** See `CompiledFeatures.retract`. */
export function retract(plan: FeaturePlan, state: EngineState, sent: FeatureEvent, added: Added): RetractResult {
  checkSpec(plan, state);
  checkEvent(sent);
  const event = recallOutliers(state.corrections, sent);
  const measured = measure(plan, event, { isCompletion: added === 'amount' });
  const failed = new Set<number>();
  const slots = plan.slots.map((accumulator, slot) => {
    const result = accumulator.retract(state.slots[slot], measured, state.asOfMs);
    if (result === undefined) failed.add(slot);
    return result === undefined ? state.slots[slot] : result.state;
  });
  const orders =
    plan.repeatedOrders === 'once' ? forgetOrder(state.orders, event, { added, asOfMs: state.asOfMs }) : state.orders;
  const isUnknown = isOutlierForgotten(state.corrections, event);
  const cannot = new Set(
    plan.sources
      .filter((source) => source.slots.some((slot) => failed.has(slot)) || (isUnknown && source.asksForOutliers(event)))
      // A window that the event is too old for shares the state of a longer one, but not the event.
      .filter(({ reaches }) => !isBefore(reaches, event.timestampMs, state.asOfMs))
      .map(({ name }) => name),
  );
  const names = plan.sources.filter(({ name, sides }) => cannot.has(name) || sides.some((side) => cannot.has(side)));
  return { state: { ...state, slots, orders }, cannot: names.map(({ name }) => name) };
}
