import type { CorrectionResult } from '../apply-result.js';
import type { FeatureEvent } from '../event.js';
import { toHash64 } from '../hash.js';
import { MESSAGE_MEMORY } from '../message-memory.js';
import { forgetOrder } from '../order-memory.js';
import type { FeaturePlan } from '../plan.js';
import { isBefore } from '../reach.js';
import { retract } from '../retract.js';
import { hasHash } from '../stamped-hashes.js';
import { checkSpec, type EngineState } from '../state.js';
import {
  type Contribution,
  type Corrections,
  isTakenBack,
  NO_CORRECTIONS,
  rememberTakenBack,
  uniteRemaining,
} from './corrections.js';
import { recallOutliers } from './kept-out.js';

/** An event that is to be taken back, as a record says it. */
export interface TakeBack {
  readonly messageId: string;
  /** What it had added, as far as the record knows; undefined for an event that has not come. */
  readonly counted: Contribution | undefined;
  /** When the event was received, or the record made: an id from before the last day is forgotten. */
  readonly receivedAtMs: number;
}

export interface TakenBack extends CorrectionResult {
  readonly state: EngineState;
  /** What the state no longer has; absent for nothing. */
  readonly takenBack?: readonly Contribution[];
}

interface Corrected {
  readonly state: EngineState;
  readonly cannot: readonly string[];
}

/** See `CompiledFeatures.takeBack`. */
export function takeBack(
  plan: FeaturePlan,
  state: EngineState,
  { messageId, receivedAtMs, counted }: TakeBack,
): TakenBack {
  checkSpec(plan, state);
  const id = toHash64(messageId);
  if (isTakenBack(state.corrections, id)) return { state, result: 'repeated', cannot: [] };
  const isForgotten =
    counted !== undefined && (receivedAtMs < state.asOfMs - MESSAGE_MEMORY.keptMs || state.messages.dropped > 0);
  const { corrections = NO_CORRECTIONS } = state;
  if (!isForgotten && !hasHash(state.messages.ids, id)) {
    return { state: withTakenBack(state, corrections, messageId), result: 'early', cannot: [] };
  }
  const kept = findContribution(corrections, messageId);
  const contribution = kept === undefined ? counted : withKnown(kept, counted);
  // It came while somebody asked for it: the record that knows it is yet to come.
  if (contribution === undefined) return { state, result: 'not_kept', cannot: [] };
  const { state: after, cannot } = removeContributions(plan, state, [contribution]);
  const takenBack = recallAll(corrections, [contribution]);
  return { state: withoutMessage(after, messageId), result: 'taken_back', cannot, takenBack };
}

/** Takes back what some events had added. Of a state that is a part, later: the rest may have it. */
export function removeContributions(
  plan: FeaturePlan,
  state: EngineState,
  contributions: readonly Contribution[],
): Corrected {
  const cannot = new Set<string>();
  let after = state;
  for (const contribution of contributions) {
    const { messageId } = contribution.event;
    const { corrections = NO_CORRECTIONS } = after;
    if (corrections.pending === undefined) {
      const result = removeOne(plan, after, contribution);
      for (const name of result.cannot) cannot.add(name);
      after = result.state;
    } else {
      const pending = [...corrections.pending, contribution];
      after = { ...forget(plan, after, contribution), corrections: { ...corrections, pending } };
    }
    after = withTakenBack(after, after.corrections ?? NO_CORRECTIONS, messageId);
  }
  return { state: after, cannot: plan.sources.map(({ name }) => name).filter((name) => cannot.has(name)) };
}

/** As they were counted. */
export function recallAll(
  corrections: Corrections | undefined,
  contributions: readonly Contribution[],
): readonly Contribution[] {
  return contributions.map(({ event, added }) => ({ event: recallOutliers(corrections, event), added }));
}

/** As if it had never been, where what is kept shows what it had changed. */
export function removeOne(plan: FeaturePlan, before: EngineState, { event, added }: Contribution): Corrected {
  const { state, cannot: left } = retract(plan, before, event, added);
  const cannot = withUnknown(plan, { before, event, left });
  if (cannot.length === 0) return { state, cannot };
  const { corrections = NO_CORRECTIONS } = state;
  const names = plan.sources.filter(({ name, sides }) => sides.length === 0 && cannot.includes(name));
  const now = Object.fromEntries(names.map(({ name }) => [name, event.timestampMs]));
  const remaining = uniteRemaining(corrections.remaining, now);
  return { state: { ...state, corrections: { ...corrections, remaining } }, cannot };
}

/** An order that was kept before its currency or its zone was: what asks for these may have it still. */
function withUnknown(
  { sources }: FeaturePlan,
  {
    before,
    event,
    left,
  }: { readonly before: EngineState; readonly event: FeatureEvent; readonly left: readonly string[] },
): readonly string[] {
  const { currency, timeZone, timestampMs } = event;
  if (currency !== undefined && timeZone !== undefined) return left;
  const counting = sources.filter(
    ({ asksForCurrency, asksForZone, reaches }) =>
      ((currency === undefined && asksForCurrency(event)) || (timeZone === undefined && asksForZone(event))) &&
      !isBefore(reaches, timestampMs, before.asOfMs),
  );
  if (counting.length === 0) return left;
  const names = new Set([...left, ...counting.map(({ name }) => name)]);
  const all = sources.filter(({ name, sides }) => names.has(name) || sides.some((side) => names.has(side)));
  return all.map(({ name }) => name);
}

function forget(plan: FeaturePlan, state: EngineState, { event, added }: Contribution): EngineState {
  if (plan.repeatedOrders !== 'once') return state;
  return { ...state, orders: forgetOrder(state.orders, event, { added, asOfMs: state.asOfMs }) };
}

function withTakenBack(state: EngineState, corrections: Corrections, messageId: string): EngineState {
  return { ...state, corrections: rememberTakenBack(corrections, toHash64(messageId), state.asOfMs) };
}

/** What is kept of an order may be older than that currencies and time zones are: the record knows them. */
function withKnown(kept: Contribution, counted: Contribution | undefined): Contribution {
  const currency = kept.event.currency ?? counted?.event.currency;
  const timeZone = kept.event.timeZone ?? counted?.event.timeZone;
  const known = { ...(currency === undefined ? {} : { currency }), ...(timeZone === undefined ? {} : { timeZone }) };
  return { ...kept, event: { ...kept.event, ...known } };
}

function findContribution({ kept }: Corrections, messageId: string): Contribution | undefined {
  for (const { contributions } of kept) {
    const found = contributions.find(({ event }) => event.messageId === messageId);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** An order all of whose messages were taken back is forgotten: a corrected one may come. */
function withoutMessage(state: EngineState, messageId: string): EngineState {
  const { corrections = NO_CORRECTIONS } = state;
  const kept = corrections.kept.flatMap((order) => {
    const left = order.contributions.filter(({ event }) => event.messageId !== messageId);
    if (left.length === order.contributions.length) return [order];
    return left.length === 0 ? [] : [{ ...order, contributions: left }];
  });
  return { ...state, corrections: { ...corrections, kept } };
}
