import type { CompiledFeatures, EngineState, FeatureEvent, OrderChange, OrderLabels } from '@perennial/feature-engine';
import { type ArchiveReader, judgeOutliers, toTakeBack } from '@perennial/service-feature-store';
import type { Cutoffs } from './cutoffs.js';
import { addToSequence, removeFromSequence, type SequenceEvent, toLast, toSequenceEvent } from './sequence.js';

type ArchivedEntry = Awaited<ReturnType<ArchiveReader['read']>>[number];
type EventEntry = Extract<ArchivedEntry, { kind: 'event' }>;
type Judged = ReturnType<typeof judgeOutliers>;
type RetractedEvent = Parameters<typeof toTakeBack>[0];

/** A profile at a cutoff, as it was known then. */
export interface KnownProfile {
  readonly key: string;
  readonly cutoffMs: number;
  readonly values: ReadonlyArray<number | null>;
  /** Part of another profile by then, or another one of it. */
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
  joined: boolean;
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
  readonly onKnown: (profile: KnownProfile) => void;
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
  #nextCutoff = 0;
  #logTimeMs = 0;

  constructor(options: FoldOptions) {
    this.#options = options;
  }

  fold(entry: ArchivedEntry): void {
    switch (entry.kind) {
      case 'tick':
        this.#passCutoffs(entry.timeMs);
        this.#logTimeMs = Math.max(this.#logTimeMs, entry.timeMs);
        break;
      case 'joined':
        this.#passCutoffs(this.#logTimeMs);
        if (this.#options.holds(entry.key)) this.#profileOf(entry.key).joined = true;
        break;
      case 'taken_back':
        this.#passCutoffs(this.#logTimeMs);
        if (this.#options.holds(entry.key)) this.#takeBack(entry.key, entry.retracted);
        break;
      case 'event': {
        const availableMs = Math.max(this.#logTimeMs, entry.receivedAtMs);
        this.#passCutoffs(availableMs);
        if (this.#options.holds(entry.key)) this.#foldEvent(entry, availableMs);
      }
    }
  }

  /** After the last record: rows of the cutoffs up to `endMs`; labels in the order of the rows. */
  finish(endMs: number): readonly Label[] {
    this.#passCutoffs(endMs);
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
    // The order is in the sequence already, without its amount.
    if (result.known === undefined) addToSequence(profile.sequence, toSequenceEvent(event), sequenceLength);
    for (const change of toOrders(event, result)) this.#addToLabels(profile, change);
  }

  #takeBack(key: string, retracted: RetractedEvent): void {
    const { spec, toOrders } = this.#options;
    const profile = this.#profileOf(key);
    const { engine } = profile;
    let taken: ReturnType<CompiledFeatures['takeBack']>;
    try {
      const before = spec.advance(engine, Math.max(this.#logTimeMs, engine.asOfMs + 1));
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
    for (const change of toOrders.takeBack(takenBack)) this.#addToLabels(profile, change);
  }

  #addToLabels(profile: Profile, { timestampMs, orders, revenue }: OrderChange): void {
    for (const label of profile.labels) {
      if (timestampMs < label.cutoffMs || timestampMs >= label.cutoffMs + this.#options.horizonMs) continue;
      label.orders += orders;
      label.revenue += revenue;
    }
  }

  #passCutoffs(availableMs: number): void {
    const { times, wanted } = this.#options.cutoffs;
    for (;;) {
      const cutoffMs = times[this.#nextCutoff];
      if (cutoffMs === undefined || cutoffMs > availableMs) return;
      this.#nextCutoff += 1;
      const keys = wanted(cutoffMs);
      if (keys === undefined) for (const [key, profile] of this.#profiles) this.#makeRow(key, profile, cutoffMs);
      else {
        for (const key of keys) {
          const profile = this.#profiles.get(key);
          if (profile !== undefined) this.#makeRow(key, profile, cutoffMs);
        }
      }
    }
  }

  #makeRow(key: string, profile: Profile, cutoffMs: number): void {
    const { spec, onKnown, sequenceLength } = this.#options;
    const { engine, joined } = profile;
    const sequence = toLast(profile.sequence, sequenceLength);
    // It took part in a join before it had an event of its own.
    if (engine === spec.empty) return;
    onKnown({ key, cutoffMs, joined, sequence, values: spec.vector(engine, cutoffMs).values });
    const label = { key, cutoffMs, orders: 0, revenue: 0 };
    profile.labels.push(label);
    this.#labels.push(label);
  }

  #profileOf(key: string): Profile {
    const known = this.#profiles.get(key);
    if (known !== undefined) return known;
    const created = { engine: this.#options.spec.empty, joined: false, series: undefined, sequence: [], labels: [] };
    this.#profiles.set(key, created);
    return created;
  }
}

function withOutliers(event: FeatureEvent, found: Judged['found']): FeatureEvent {
  return found.length === 0 ? event : { ...event, outliers: found.map(({ property }) => property) };
}
