import type { AcceptedEvent, FeaturesUpdated, FoldedEvent } from '@perennial/contracts';
import {
  advance,
  apply,
  createEmptyState,
  FEATURE_SPEC,
  type FeatureVector,
  toEventAmount,
  vector,
} from '@perennial/feature-engine';
import { createProfileState, type ProfileState } from './profile-state.js';

/** An accepted event with its properties read. */
export interface FeatureInput {
  readonly event: AcceptedEvent;
  readonly properties: unknown;
}

/** What folding an event came to; a repeat leaves the profile as it was and tells nobody. */
export type FoldResult =
  | { readonly kind: 'applied'; readonly state: ProfileState; readonly update: FeaturesUpdated }
  | { readonly kind: 'repeated' };

/** Folds one event into a profile. Log time never goes back for a profile: the latest of all known times counts. */
export function foldEvent(before: ProfileState | undefined, input: FeatureInput, logTimeMs: number): FoldResult {
  const { event, properties } = input;
  const featureEvent = {
    messageId: event.messageId,
    type: event.type,
    name: event.name,
    timestampMs: event.timestampMs,
    properties,
  };
  const engine = advance(before?.engine ?? createEmptyState(), Math.max(logTimeMs, event.receivedAtMs));
  const folded = apply(engine, featureEvent);
  if (!folded.applied) return { kind: 'repeated' };
  const current = vector(folded.state, folded.state.asOfMs);
  const state = createProfileState({ engine: folded.state, ...toIdentity(before, event) }, current);
  const foldedEvent = {
    messageId: event.messageId,
    type: event.type,
    name: event.name,
    timestampMs: event.timestampMs,
    value: toEventAmount(featureEvent) ?? Number.NaN,
  };
  return { kind: 'applied', state, update: toUpdate(state, current, foldedEvent) };
}

/** Time has moved a window past an event: the profile at its new time. */
export function foldTime(before: ProfileState, nowMs: number): { state: ProfileState; update: FeaturesUpdated } {
  const engine = advance(before.engine, nowMs);
  const current = vector(engine, engine.asOfMs);
  const state = createProfileState({ ...before, engine }, current);
  return { state, update: toUpdate(state, current, undefined) };
}

/** An event that comes late tells nothing new of who the profile is and where. */
function toIdentity(before: ProfileState | undefined, event: AcceptedEvent) {
  if (before === undefined) {
    return { subject: event.subject, timeZone: event.timeZone, lastEventAtMs: event.timestampMs };
  }
  if (event.timestampMs < before.lastEventAtMs) {
    const { subject, timeZone, lastEventAtMs } = before;
    return { subject, timeZone: timeZone || event.timeZone, lastEventAtMs };
  }
  return {
    subject: event.subject.length > 0 ? event.subject : before.subject,
    timeZone: event.timeZone || before.timeZone,
    lastEventAtMs: event.timestampMs,
  };
}

function toUpdate(state: ProfileState, current: FeatureVector, event: FoldedEvent | undefined): FeaturesUpdated {
  return {
    specHash: FEATURE_SPEC.hash,
    asOfMs: state.engine.asOfMs,
    values: current.values.map((value) => value ?? Number.NaN),
    lastEventAtMs: state.lastEventAtMs,
    subject: state.subject,
    timeZone: state.timeZone,
    event,
  };
}
