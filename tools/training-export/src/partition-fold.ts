import { isBehaviour } from '@perennial/contracts';
import type { CompiledFeatures, EngineState, FeatureEvent, OrderChange, OrderLabels } from '@perennial/feature-engine';
import { judgeOutliers, toTakeBack } from '@perennial/service-feature-store';
import type { Cutoffs } from './cutoffs.js';
import type { JoinHistory } from './join-history.js';
import type { MemberState } from './joined-spill.js';
import { type ArchivedEntry, LogClock } from './log-clock.js';
import { addToSequence, removeFromSequence, type SequenceEvent, toLast, toSequenceEvent } from './sequence.js';

type EventEntry = Extract<ArchivedEntry, { kind: 'event' }>;
type Judged = ReturnType<typeof judgeOutliers>;
type RetractedEvent = Parameters<typeof toTakeBack>[0];

/** A profile at a cutoff, as it was known then. */
export interface KnownProfile {
  readonly key: string;
  readonly cutoffMs: number;
  readonly values: ReadonlyArray<number | null>;
  /** Several keys were one profile by then: the row has what all of them have. */
  readonly joined: boolean;
  readonly sequence: readonly SequenceEvent[];
}

/** What came of a profile after a cutoff; amended while later events are folded. */
export interface Label {
  readonly key: string;
  readonly cutoffMs: number;
  orders: number;
  revenue: number;
}

interface Profile {
  engine: EngineState;
  /** It did something itself: others only report of one that did not, and the service makes no score for it. */
  hasBehaviour: boolean;
  /** What values are compared with, as the feature-store keeps it. */
  series: Judged['series'];
  readonly sequence: SequenceEvent[];
  readonly labels: Label[];
}

export interface FoldOptions {
  readonly spec: CompiledFeatures;
  /** Of that spec. */
  readonly toOrders: OrderLabels;
  readonly cutoffs: Cutoffs;
  readonly horizonMs: number;
  readonly sequenceLength: number;
  /** Of the keys of the partition, those of this pass. */
  readonly holds: (key: string) => boolean;
  readonly joins: Pick<JoinHistory, 'isInvolved' | 'isJoined' | 'membersAt'>;
  readonly onKnown: (profile: KnownProfile) => void;
  /** Of a profile that is joined at the cutoff: its row is made where all partitions were read. */
  readonly onMember: (member: MemberState) => void;
  /** Of a key that is ever part of a joined profile. */
  readonly onOrder: (key: string, change: OrderChange) => void;
}

/**
 * Folds a partition's records in the order of the log, as the feature-store does. Whatever was read before the first
 * record that became available at a cutoff or later was known at it: a record is available at the highest log time so
 * far, or when it was received if that is later. This is the time that the feature-store's own state has.
 */
export class PartitionFold {
  readonly #options: FoldOptions;
  readonly #profiles = new Map<string, Profile>();
  readonly #labels: Label[] = [];
  readonly #clock: LogClock;

  constructor(options: FoldOptions) {
    this.#options = options;
    this.#clock = new LogClock(options.cutoffs.times);
  }

  fold(entry: ArchivedEntry): void {
    const availableMs = this.#clock.take(entry, this.#makeRows);
    if (entry.kind === 'tick' || !this.#options.holds(entry.key)) return;
    if (entry.kind === 'event') this.#foldEvent(entry, availableMs);
    else if (entry.kind === 'taken_back') this.#takeBack(entry.key, entry.retracted);
  }

  /** After the last record: rows of the cutoffs up to `endMs`; labels in the order of the rows. */
  finish(endMs: number): readonly Label[] {
    this.#clock.pass(endMs, this.#makeRows);
    return this.#labels;
  }

  #foldEvent({ key, event: sent, planned }: EventEntry, availableMs: number): void {
    const { spec, toOrders, sequenceLength } = this.#options;
    const profile = this.#profileOf(key);
    const judged = planned && judgeOutliers(profile.series, planned, sent.properties);
    const event = judged === undefined ? sent : withOutliers(sent, judged.found);
    let result: ReturnType<CompiledFeatures['apply']>;
    try {
      result = spec.apply(spec.advance(profile.engine, availableMs), event);
    } catch {
      // The feature-store keeps such an event as a dead letter, and the profile as it was.
      return;
    }
    if (!result.applied) return;
    profile.engine = result.state;
    if (judged !== undefined) profile.series = judged.series;
    const isDone = isBehaviour(event.type);
    profile.hasBehaviour ||= isDone;
    // The order is in the sequence already, without its amount.
    if (isDone && result.known === undefined) addToSequence(profile.sequence, toSequenceEvent(event), sequenceLength);
    for (const change of toOrders(event, result)) this.#addToLabels(key, profile, change);
  }

  #takeBack(key: string, retracted: RetractedEvent): void {
    const { spec, toOrders } = this.#options;
    const profile = this.#profileOf(key);
    const { engine } = profile;
    let taken: ReturnType<CompiledFeatures['takeBack']>;
    try {
      const before = spec.advance(engine, Math.max(this.#clock.logTimeMs, engine.asOfMs + 1));
      taken = spec.takeBack(before, toTakeBack(retracted, before.asOfMs));
    } catch {
      // A dead letter there, as such an event is.
      return;
    }
    const { state, result, takenBack = [] } = taken;
    if (result === 'repeated' || result === 'not_kept') return;
    profile.engine = state;
    // The rows of earlier cutoffs are written: there it was known.
    if (!retracted.retraction.amountOnly) removeFromSequence(profile.sequence, retracted.retraction.messageId);
    for (const change of toOrders.takeBack(takenBack)) this.#addToLabels(key, profile, change);
  }

  #addToLabels(key: string, profile: Profile, change: OrderChange): void {
    const { horizonMs, joins, onOrder } = this.#options;
    if (joins.isInvolved(key)) onOrder(key, change);
    for (const label of profile.labels) addToLabel(label, change, horizonMs);
  }

  readonly #makeRows = (cutoffMs: number, at: number): void => {
    const { cutoffs, joins } = this.#options;
    const keys = cutoffs.wanted(cutoffMs);
    if (keys === undefined) {
      for (const [key, profile] of this.#profiles) this.#makeRow(key, profile, { cutoffMs, at });
      return;
    }
    // A joined profile needs the states of all its keys, whichever is asked for.
    const members = new Set([...keys].flatMap((key) => (joins.isInvolved(key) ? joins.membersAt(key, at) : [key])));
    for (const key of members) {
      const profile = this.#profiles.get(key);
      if (profile !== undefined) this.#makeRow(key, profile, { cutoffMs, at });
    }
  };

  #makeRow(key: string, profile: Profile, { cutoffMs, at }: { readonly cutoffMs: number; readonly at: number }): void {
    const { spec, joins, onKnown, onMember, sequenceLength } = this.#options;
    const { engine } = profile;
    // Its only event was a dead letter.
    if (engine === spec.empty) return;
    const sequence = toLast(profile.sequence, sequenceLength);
    if (joins.isJoined(key, at)) {
      onMember({ key, at, engine, sequence });
      return;
    }
    if (!profile.hasBehaviour) return;
    onKnown({ key, cutoffMs, joined: false, sequence, values: spec.vector(engine, cutoffMs).values });
    const label = { key, cutoffMs, orders: 0, revenue: 0 };
    profile.labels.push(label);
    this.#labels.push(label);
  }

  #profileOf(key: string): Profile {
    const known = this.#profiles.get(key);
    if (known !== undefined) return known;
    const { empty } = this.#options.spec;
    const created = { engine: empty, hasBehaviour: false, series: undefined, sequence: [], labels: [] };
    this.#profiles.set(key, created);
    return created;
  }
}

/** Adds an order that happened within the horizon after the label's cutoff. */
export function addToLabel(label: Label, { timestampMs, orders, revenue }: OrderChange, horizonMs: number): void {
  if (timestampMs < label.cutoffMs || timestampMs >= label.cutoffMs + horizonMs) return;
  label.orders += orders;
  label.revenue += revenue;
}

function withOutliers(event: FeatureEvent, found: Judged['found']): FeatureEvent {
  return found.length === 0 ? event : { ...event, outliers: found.map(({ property }) => property) };
}
