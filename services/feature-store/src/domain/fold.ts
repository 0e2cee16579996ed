import type { RateTable } from '@perennial/commerce';
import type { AcceptedEvent, FeaturesUpdated, FoldedEvent } from '@perennial/contracts';
import {
  type ApplyResult,
  type CompiledFeatures,
  type EngineState,
  type FeatureSpecs,
  type FeatureVector,
  toEventAmount,
} from '@perennial/feature-engine';
import type { ProfileState } from './profile-state.js';

/** An accepted event with parsed properties. */
export interface FeatureInput {
  readonly event: AcceptedEvent;
  readonly properties: unknown;
}

/** Inputs of folding: the spec in force, those that may have made the state, and the highest tick so far. */
export interface FoldContext {
  readonly spec: CompiledFeatures;
  readonly specs: FeatureSpecs;
  /** In force, too: amounts are converted by it. */
  readonly rates: RateTable;
  readonly logTimeMs: number;
}

/**
 * Result of folding one event; a repeated event leaves the profile unchanged and emits nothing. `known` is what was known
 * of it before.
 */
export type FoldResult =
  | {
      readonly kind: 'applied';
      readonly state: ProfileState;
      readonly update: FeaturesUpdated;
      readonly known: ApplyResult['known'];
      /** The currency of an amount that could not be converted: it is in no sum. */
      readonly unconverted: string | undefined;
    }
  | { readonly kind: 'repeated'; readonly known: ApplyResult['known'] };

/** Folds one event into a profile. A profile's time never goes back: the latest of all known times counts. */
export function foldEvent(
  before: ProfileState | undefined,
  { event, properties }: FeatureInput,
  { spec, specs, rates, logTimeMs }: FoldContext,
): FoldResult {
  const featureEvent = {
    messageId: event.messageId,
    type: event.type,
    name: event.name,
    timestampMs: event.timestampMs,
    properties,
    worth: event.amount,
    rate: event.currency === '' ? 1 : (rates.rateAt(event.currency, event.timestampMs) ?? null),
  };
  const known = before === undefined ? spec.empty : specs.adopt(spec, before.engine);
  const folded = spec.apply(spec.advance(known, Math.max(logTimeMs, event.receivedAtMs)), featureEvent);
  if (!folded.applied) return { kind: 'repeated', known: folded.known };
  const value = toEventAmount(featureEvent);
  const foldedEvent = {
    messageId: event.messageId,
    type: event.type,
    name: event.name,
    timestampMs: event.timestampMs,
    value: value ?? Number.NaN,
  };
  // The order was announced when it first came: only its amount is news, as a change of windows is.
  const announced = folded.known === 'order_without_amount' ? undefined : foldedEvent;
  return {
    kind: 'applied',
    ...toResult(spec, folded.state, { ...toIdentity(before, event), event: announced }),
    known: folded.known,
    unconverted: event.amount !== undefined && value === undefined ? event.currency : undefined,
  };
}

/** A window has moved past an event: the profile at its new time. */
export function foldTime(
  before: ProfileState,
  { spec, specs, logTimeMs }: Omit<FoldContext, 'rates'>,
): { state: ProfileState; update: FeaturesUpdated } {
  const engine = spec.advance(specs.adopt(spec, before.engine), logTimeMs);
  return toResult(spec, engine, { ...before, event: undefined });
}

type Identity = Pick<ProfileState, 'subject' | 'timeZone' | 'lastEventAtMs'>;

function toResult(
  spec: CompiledFeatures,
  engine: EngineState,
  { event, subject, timeZone, lastEventAtMs }: Identity & { readonly event: FoldedEvent | undefined },
): { state: ProfileState; update: FeaturesUpdated } {
  const current: FeatureVector = spec.vector(engine, engine.asOfMs);
  const identity = { subject, timeZone, lastEventAtMs };
  return {
    state: { engine, ...identity, validUntilMs: current.validUntilMs },
    update: {
      specHash: spec.specHash,
      asOfMs: engine.asOfMs,
      values: current.values.map((value) => value ?? Number.NaN),
      ...identity,
      event,
    },
  };
}

/** A late event does not replace the profile's external id or time zone. */
function toIdentity(before: ProfileState | undefined, event: AcceptedEvent): Identity {
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
