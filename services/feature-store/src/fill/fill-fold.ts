import { INITIAL_RATES, type RateTable } from '@perennial/commerce';
import type { Rollout } from '@perennial/contracts';
import type { CompiledFeatures } from '@perennial/feature-engine';
import { createLogReader, type LogReader, type LogReading, type ProcessorDefinition } from '@perennial/keyed-processor';
import type { FeatureArtifacts } from '../artifacts.js';
import { type FeatureInput, toFeatureEvent } from '../domain/fold.js';
import type { KeyRange, StateTable } from './state-table.js';

/** Records as the log gives them. */
type Records = Parameters<LogReader<FeatureInput>['read']>[0];

/** Reads records as this service's processor does. */
type FillDefinition = Pick<
  ProcessorDefinition<never, FeatureInput, never>,
  'name' | 'inputTopic' | 'sources' | 'decode' | 'loadRollout'
>;

/** What is filled, and with what. */
export interface FillTarget {
  readonly spec: CompiledFeatures;
  /** Hash of the spec's artifact. */
  readonly hash: string;
  readonly definition: FillDefinition;
  readonly rates: FeatureArtifacts['rates'];
}

/** How far a partition's log was folded: with the states, all that later records need. */
export interface FoldPosition {
  readonly next: number;
  readonly logTimeMs: number;
  readonly reading: LogReading;
}

const FOLD_START: FoldPosition = { next: 0, logTimeMs: 0, reading: { inForce: [], applied: {} } };

/**
 * Folds a partition's records under the spec that is filled, as the processor would have if that had been in force from
 * the first record on, up to the record that puts it in force.
 */
export class FillFold {
  readonly #target: FillTarget;
  readonly #table: StateTable;
  readonly #reader: LogReader<FeatureInput>;
  readonly #inForce: Map<string, Rollout>;
  #rates: RateTable | undefined;
  #next: number;
  #logTimeMs: number;
  #until: number | undefined;

  constructor(target: FillTarget, table: StateTable, from: FoldPosition = FOLD_START) {
    this.#target = target;
    this.#table = table;
    this.#reader = createLogReader(target.definition, from.reading);
    this.#inForce = new Map(from.reading.inForce.map((rollout) => [rollout.kind, rollout]));
    this.#next = from.next;
    this.#logTimeMs = from.logTimeMs;
  }

  get position(): FoldPosition {
    return { next: this.#next, logTimeMs: this.#logTimeMs, reading: this.#reader.reading };
  }

  /** Offset of the record that puts the spec in force; undefined before it was read. */
  get until(): number | undefined {
    return this.#until;
  }

  get range(): KeyRange {
    return this.#table.range;
  }

  /** Folds the next records, in order. Throws as the artifacts do. */
  async fold(records: Records): Promise<void> {
    const entries = await this.#reader.read(records);
    for (const { offset, decoded } of entries) {
      if (this.#until !== undefined) return;
      switch (decoded.kind) {
        case 'tick':
          this.#logTimeMs = Math.max(this.#logTimeMs, decoded.timeMs);
          break;
        case 'rollout':
          this.#rates = undefined;
          this.#inForce.set(decoded.rollout.kind, decoded.rollout);
          if (this.#isBegun()) this.#until = offset;
          break;
        case 'record':
          if (this.#table.holds(decoded.key)) this.#foldEvent(decoded.key, decoded.input, await this.#loadRates());
      }
    }
    this.#next = (records.at(-1)?.offset ?? this.#next - 1) + 1;
  }

  #foldEvent(key: string, input: FeatureInput, rates: RateTable): void {
    const { spec } = this.#target;
    const before = this.#table.get(key) ?? spec.empty;
    const moved = spec.advance(before, Math.max(this.#logTimeMs, input.event.receivedAtMs));
    try {
      const { state, applied } = spec.apply(moved, toFeatureEvent(input, rates));
      if (applied) this.#table.set(key, state);
    } catch {
      // The processor keeps such an event as a dead letter, and the profile as it was.
    }
  }

  #isBegun(): boolean {
    const { hash } = this.#target;
    return this.#inForce.get('features')?.hash === hash && this.#inForce.get('feature-filling')?.hash === hash;
  }

  async #loadRates(): Promise<RateTable> {
    const rollout = this.#inForce.get('rates');
    this.#rates ??= rollout === undefined ? INITIAL_RATES : await this.#target.rates(rollout);
    return this.#rates;
  }
}
