import type { FeaturesUpdated, Retraction } from '@perennial/contracts';
import type { ApplyResult } from '@perennial/feature-engine';
import { toAddress } from '@perennial/identity';
import { must } from '@perennial/kernel';
import { toCurrent } from './fill.js';
import { type FeatureInput, type FoldContext, toFeatureEvent, toResult } from './fold.js';
import type { ProfileState } from './profile-state.js';

/** What a record that takes an event back says, with parsed properties. */
export interface RetractedEvent {
  readonly retraction: Retraction;
  /** Undefined for an event that has not come. */
  readonly original: FeatureInput | undefined;
}

type Correction = NonNullable<ApplyResult['correction']>;

export type TakeBackResult =
  | {
      readonly kind: 'changed';
      readonly state: ProfileState;
      readonly update: FeaturesUpdated;
      readonly correction: Correction;
    }
  /** It was taken back before, or nobody knows yet what it had added. */
  | { readonly kind: 'unchanged'; readonly correction: Correction };

type TakeBack = Parameters<FoldContext['spec']['takeBack']>[1];

/** The event as the engine takes it back: its amount at the rate at which it was counted. */
export function toTakeBack({ retraction, original }: RetractedEvent, asOfMs: number): TakeBack {
  const { messageId, amountOnly } = retraction;
  if (original === undefined) return { messageId, counted: undefined, receivedAtMs: asOfMs };
  const { rate, currency } = retraction;
  const event = toFeatureEvent(original, { rateAt: () => rate, currency });
  return {
    messageId,
    counted: { event, added: amountOnly ? 'amount' : 'all' },
    receivedAtMs: original.event.receivedAtMs,
  };
}

/**
 * Takes an event back from a profile, or remembers that it is not to count when it comes. The state is later than before by
 * a millisecond at least: two updates without an event must not have one time, since that is how action tells their causes
 * apart. What the profile's own time zone, traits and newest events say stays.
 */
export function takeBackEvent(
  before: ProfileState | undefined,
  retracted: RetractedEvent,
  context: Omit<FoldContext, 'rates'>,
): TakeBackResult {
  const { spec, specs, logTimeMs, part, fill } = context;
  const current = toCurrent(before ?? { engine: spec.empty, fill: fill?.tag }, context, part);
  const made = specs.get(current.engine.specHash);
  const engine = made.advance(current.engine, Math.max(logTimeMs, current.engine.asOfMs + 1));
  const taken = toTakeBack(retracted, engine.asOfMs);
  const { state, result, cannot } = made.takeBack(engine, taken);
  const correction = { result, cannot };
  if (result === 'repeated' || result === 'not_kept') return { kind: 'unchanged', correction };
  const beside = made === spec ? current.beside : spec.takeBackBeside(current.beside, { before: engine, ...taken });
  const subject = toAddress(must(retracted.retraction.self, 'the profile of a retraction'));
  const known = before ?? { subject, timeZone: '', lastEventAtMs: 0, about: undefined };
  const { subject: ownSubject, timeZone, lastEventAtMs, about } = known;
  const changed = toResult({ ...current, beside, engine: state }, specs, {
    subject: ownSubject,
    timeZone,
    lastEventAtMs,
    about,
    account: before?.account,
    outliers: before?.outliers,
    event: undefined,
  });
  return { kind: 'changed', ...changed, correction };
}
