import type { RateTable } from '@perennial/commerce';
import {
  type AcceptedEvent,
  type EventTraits,
  type FeaturesUpdated,
  type FoldedEvent,
  isBehaviour,
  toAttributes,
} from '@perennial/contracts';
import {
  type ApplyResult,
  type CompiledFeatures,
  type EngineState,
  type FeatureEvent,
  type FeatureSpecs,
  type FeatureVector,
  toEventAmount,
} from '@perennial/feature-engine';
import {
  type About,
  addSaid,
  countDropped,
  listGiven,
  NOTHING_KNOWN,
  type Said,
  type TraitValue,
} from '@perennial/traits';
import { readAttributes } from './attributes.js';
import { type CurrentState, type SpecContext, toCurrent } from './fill.js';
import { judgeOutliers } from './outliers.js';
import type { ProfileState } from './profile-state.js';

/** An accepted event with parsed properties. */
export interface FeatureInput {
  readonly event: AcceptedEvent;
  readonly properties: unknown;
}

/** Inputs of folding: the spec in force, those that may have made the state, and the highest tick so far. */
export interface FoldContext extends SpecContext {
  /** In force, too: amounts are converted by it. */
  readonly rates: RateTable;
  readonly logTimeMs: number;
  /** What the profile has yet to take of the fill in force. */
  readonly part?: EngineState | undefined;
}

/**
 * Result of folding one event; a repeated event leaves the profile unchanged and emits nothing, but for what it says of consent
 * where its message is new. `known` is what was known of it before.
 */
export type FoldResult =
  | {
      readonly kind: 'applied';
      readonly state: ProfileState;
      readonly update: FeaturesUpdated;
      readonly known: ApplyResult['known'];
      /** Older than every window reaches: only features of the whole life count it. */
      readonly isTooLate: boolean;
      /** The currency of an amount that could not be converted: it is in no sum. */
      readonly unconverted: string | undefined;
      /** Traits that were dropped, the profile having too many. */
      readonly traitsDropped: number;
      /** Properties that are far from the profile's own history. */
      readonly outliers: ReturnType<typeof judgeOutliers>['found'];
      /** What became of the order that the event cancels or replaces. */
      readonly correction: ApplyResult['correction'];
      /** Conditions that threw on the event, and so did not hold. */
      readonly failed: ApplyResult['failed'];
      /** The event as it was counted. */
      readonly counted: FeatureEvent;
      /** Features of which the event has a value that cannot be taken. */
      readonly unread: ReturnType<CompiledFeatures['findUnread']>;
    }
  | {
      readonly kind: 'repeated';
      readonly known: ApplyResult['known'];
      /** An order under another message id, with consent: only that is news. */
      readonly said?: Moved;
    };

/** A profile as it is stored, and the update that announces it. */
interface Moved {
  readonly state: ProfileState;
  readonly update: FeaturesUpdated;
}

/** An event as the engine counts it: its amount at the rate of its time, and what `judgeOutliers` found in it. */
export function toFeatureEvent(
  { event, properties }: FeatureInput,
  rates: Pick<RateTable, 'rateAt' | 'currency'>,
  found: ReturnType<typeof judgeOutliers>['found'] = [],
): FeatureEvent {
  const outliers = found.length === 0 ? undefined : found.map(({ property }) => property);
  return {
    messageId: event.messageId,
    type: event.type,
    name: event.name,
    timestampMs: event.timestampMs,
    properties,
    ...toContext(event),
    worth: event.amount,
    currency: event.currency === '' ? rates.currency : event.currency,
    timeZone: event.timeZone,
    outliers,
    rate: event.currency === '' ? 1 : (rates.rateAt(event.currency, event.timestampMs) ?? null),
  };
}

/** Most events of servers carry none. Bytes that are no JSON make the record a dead letter, as those of properties do. */
function toContext({ contextJson }: AcceptedEvent): Pick<FeatureEvent, 'context'> {
  return contextJson === undefined ? {} : { context: JSON.parse(contextJson.toString()) as unknown };
}

/** Folds one event into a profile. A profile's time never goes back: the latest of all known times counts. */
export function foldEvent(
  before: ProfileState | undefined,
  { event, properties }: FeatureInput,
  context: FoldContext,
): FoldResult {
  const { spec, specs, rates, logTimeMs, part } = context;
  const judged = judgeOutliers(before?.outliers, event, properties);
  const featureEvent = toFeatureEvent({ event, properties }, rates, judged.found);
  const current = toCurrent(before ?? { engine: spec.empty, fill: context.fill?.tag }, context, part);
  // While the spec in force is filled, another one goes on.
  const made = specs.get(current.engine.specHash);
  const engine = made.advance(current.engine, Math.max(logTimeMs, event.receivedAtMs));
  const folded = made.apply(engine, featureEvent);
  const onlyConsent = toOnlyConsent(event);
  if (!folded.applied) {
    const { known } = folded;
    if (known !== 'order' || before === undefined || onlyConsent === undefined) return { kind: 'repeated', known };
    const said = toResult({ ...current, engine }, specs, { ...before, event: onlyConsent });
    return { kind: 'repeated', known, said };
  }
  const beside =
    made === spec ? current.beside : spec.foldBeside(current.beside, { before: engine, event: featureEvent });
  const value = toEventAmount(featureEvent);
  const foldedEvent = {
    messageId: event.messageId,
    type: event.type,
    name: event.name,
    timestampMs: event.timestampMs,
    value: value ?? Number.NaN,
    notice: event.notice,
  };
  const about = before?.about ?? NOTHING_KNOWN;
  const said = toSaid(event);
  // The order was announced when it first came: only its amount is news, as a change of windows is, and its consent.
  const announced = folded.known === 'order_without_amount' ? onlyConsent : foldedEvent;
  const basics = toBasics(before, event);
  const parts = { fill: current.fill, whole: current.whole, beside, engine: folded.state };
  const result = toResult(parts, specs, {
    subject: basics.subject,
    timeZone: basics.timeZone,
    lastEventAtMs: basics.lastEventAtMs,
    about: isBehaviour(event.type) ? addSaid(about, said) : before?.about,
    account: before?.account,
    outliers: judged.series,
    event: announced,
  });
  return {
    kind: 'applied',
    state: result.state,
    update: result.update,
    traitsDropped: countDropped(about, said.traits),
    outliers: judged.found,
    known: folded.known,
    isTooLate: folded.isTooLate ?? false,
    correction: folded.correction,
    failed: folded.failed,
    counted: featureEvent,
    unread: made.findUnread(featureEvent),
    unconverted: event.amount !== undefined && value === undefined ? event.currency : undefined,
  };
}

/** A window has moved past an event: the profile at its new time. */
export function foldTime(before: ProfileState, context: Omit<FoldContext, 'rates'>): Moved {
  const { specs, logTimeMs, part } = context;
  const current = toCurrent(before, context, part);
  const engine = specs.get(current.engine.specHash).advance(current.engine, logTimeMs);
  return toResult({ ...current, engine }, specs, { ...before, event: undefined });
}

/** What came with behaviour that was announced before: a report by itself, which is no behaviour. */
function toOnlyConsent({ messageId, timestampMs, notice }: AcceptedEvent): FoldedEvent | undefined {
  if (notice === undefined) return undefined;
  return { messageId, type: 'consent', name: '', timestampMs, value: Number.NaN, notice };
}

/** What an event says of its profile besides what features count. */
function toSaid({ type, name, timestampMs: atMs, traits }: AcceptedEvent): Said {
  return {
    event: { type, name, atMs },
    traits: (traits?.own ?? []).map((trait) => ({ name: trait.name, value: toTraitValue(trait.value) })),
    accountId: traits === undefined || traits.accountId === '' ? undefined : traits.accountId,
  };
}

function toTraitValue(value: EventTraits['own'][number]['value']): TraitValue {
  switch (value?.$case) {
    case 'text':
      return { kind: 'text', text: value.value };
    case 'number':
      return { kind: 'number', number: value.value };
    case 'flag':
      return { kind: 'flag', flag: value.value };
    case 'timeMs':
      return { kind: 'time', timeMs: value.value };
    case undefined:
      return { kind: 'removed' };
  }
}

type Basics = Pick<ProfileState, 'subject' | 'timeZone' | 'lastEventAtMs'>;

export function toResult(
  { engine, fill, beside, whole }: CurrentState,
  specs: FeatureSpecs,
  {
    event,
    about,
    account,
    outliers,
    subject,
    timeZone,
    lastEventAtMs,
  }: Basics & Pick<ProfileState, 'about' | 'account' | 'outliers'> & { readonly event: FoldedEvent | undefined },
): Moved {
  const spec = specs.get(engine.specHash);
  const current: FeatureVector = spec.vector(engine, engine.asOfMs);
  const { validUntilMs } = current;
  return {
    // All of them, in one order: the objects of all profiles then have one shape.
    state: { engine, subject, timeZone, lastEventAtMs, fill, beside, about, account, outliers, whole, validUntilMs },
    update: {
      specHash: spec.specHash,
      asOfMs: engine.asOfMs,
      values: current.values.map((value) => value ?? Number.NaN),
      subject,
      timeZone,
      lastEventAtMs,
      event,
      attributes: toAttributes(readAttributes(spec, { about, account })),
      ...toGivenTags(about),
    },
  };
}

/** Nothing for a profile without tags, as most are. */
function toGivenTags(about: About | undefined): Pick<FeaturesUpdated, 'tags'> {
  const names = about?.tags === undefined ? [] : listGiven(about.tags);
  return names.length === 0 ? {} : { tags: { names: [...names] } };
}

/** A late event does not replace the profile's external id or time zone; what others report says nothing of either. */
function toBasics(before: ProfileState | undefined, event: AcceptedEvent): Basics {
  if (!isBehaviour(event.type)) {
    const { subject, timeZone = '', lastEventAtMs = 0 } = before ?? {};
    return { subject: subject?.length ? subject : event.subject, timeZone, lastEventAtMs };
  }
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
