import { INITIAL_RATES, type RateTable } from '@perennial/commerce';
import type { Rollout } from '@perennial/contracts';
import type { CompiledFeatures, FeatureSpecs } from '@perennial/feature-engine';
import { LONE_ROOT, type ProfileNode, takeEvent, takeHandOver, takeJoin, takeLink } from '@perennial/identity';
import { createLogReader, type LogReader, type LogReading, type ProcessorDefinition } from '@perennial/keyed-processor';
import type { FeatureArtifacts } from '../artifacts.js';
import { type FeatureInput, toFeatureEvent } from '../domain/fold.js';
import { judgeOutliers, mergeSeries, type ValueSeries } from '../domain/outliers.js';
import { createProfileStates } from '../domain/profile-state.js';
import { toTakeBack } from '../domain/take-back.js';
import type { AcceptedInput } from '../identity/identity-records.js';
import { type IdentityInput, toNamedIds, toSelf } from '../identity/identity-records.js';
import type { RetractionInput } from '../retract/retraction-record.js';
import type { StateTable } from './state-table.js';

/** Records as the log gives them. */
type Records = Parameters<LogReader<AcceptedInput>['read']>[0];

/** Reads records as this service's processor does. */
type FillDefinition = Pick<
  ProcessorDefinition<never, AcceptedInput, never>,
  'name' | 'inputTopic' | 'sources' | 'decode' | 'loadRollout'
>;

/** What is filled, and with what. */
export interface FillTarget {
  readonly spec: CompiledFeatures;
  /** Those of the states that were handed over. */
  readonly specs: FeatureSpecs;
  /** Hash of the spec's artifact. */
  readonly hash: string;
  readonly definition: FillDefinition;
  readonly rates: FeatureArtifacts['rates'];
}

/** Of one value of a series: a time, a number, and what holds them. */
const VALUE_BYTES = 32;

/** How far a partition's log was folded: with states and nodes, all that later records need. */
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
  readonly #reader: LogReader<AcceptedInput>;
  /** What keys know of joins; those without are absent. */
  readonly #nodes: Map<string, ProfileNode>;
  /** What values are compared with, of profiles that have some, where the spec leaves out outliers; as the processor keeps it. */
  readonly #series: Map<string, readonly ValueSeries[]>;
  readonly #inForce: Map<string, Rollout>;
  #rates: RateTable | undefined;
  #next: number;
  #logTimeMs: number;
  #until: number | undefined;

  constructor(
    target: FillTarget,
    table: StateTable,
    {
      from = FOLD_START,
      nodes = new Map(),
      series = [],
    }: {
      from?: FoldPosition | undefined;
      nodes?: Map<string, ProfileNode>;
      series?: ReadonlyArray<readonly [string, readonly ValueSeries[]]>;
    },
  ) {
    this.#target = target;
    this.#table = table;
    this.#nodes = nodes;
    this.#series = new Map();
    for (const [key, own] of series) this.#keepSeries(key, own);
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

  get nodes(): ReadonlyMap<string, ProfileNode> {
    return this.#nodes;
  }

  /** Of the profiles that are folded. */
  get series(): ReadonlyArray<readonly [string, readonly ValueSeries[]]> {
    return [...this.#series].filter(([key]) => this.#table.holds(key));
  }

  #keepSeries(key: string, series: readonly ValueSeries[] | undefined): void {
    if (series === undefined || this.#target.spec.leftOut === undefined) return;
    this.#series.set(key, series);
    this.#table.countFurther(key, VALUE_BYTES * series.reduce((sum, { values }) => sum + values.length, 0));
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
          if (this.#table.holds(decoded.key)) this.#take(decoded.key, decoded.input, await this.#loadRates());
      }
    }
    this.#next = (records.at(-1)?.offset ?? this.#next - 1) + 1;
    for (const key of this.#series.keys()) if (!this.#table.holds(key)) this.#series.delete(key);
  }

  #take(key: string, input: AcceptedInput, rates: RateTable): void {
    try {
      // What accounts report, and tags, are no part of the engine's state.
      if ('account' in input || 'tag' in input) return;
      if ('identity' in input) this.#takeIdentity(key, input);
      else if ('retraction' in input) this.#takeBack(key, input);
      else this.#takeEvent(key, input, rates);
    } catch {
      // The processor keeps such a record as a dead letter, and the profile as it was.
    }
  }

  /** What a key forwards is folded where it goes. */
  #takeEvent(key: string, input: FeatureInput, rates: RateTable): void {
    const { event } = input;
    const { spec } = this.#target;
    const atMs = Math.max(this.#logTimeMs, event.receivedAtMs);
    const taken = takeEvent(this.#nodes.get(key), { self: toSelf(key, event), named: toNamedIds(event), atMs });
    if (taken.result === 'forward') return;
    const before = spec.advance(this.#table.get(key) ?? spec.emptyPart, atMs);
    const { series, found } = judgeOutliers(this.#series.get(key), event, input.properties);
    const { state, applied } = spec.apply(before, toFeatureEvent(input, rates, found));
    if (applied) {
      this.#table.set(key, state);
      this.#keepSeries(key, series);
    }
    this.#setNode(key, taken.node);
  }

  /** As the profile takes it back. What it had added may be in another part: a part remembers it until all are together. */
  #takeBack(key: string, input: RetractionInput): void {
    const { spec } = this.#target;
    if (this.#nodes.get(key)?.kind === 'forwarder') return;
    const known = this.#table.get(key) ?? spec.emptyPart;
    const before = spec.advance(known, Math.max(this.#logTimeMs, known.asOfMs + 1));
    const { state, result } = spec.takeBack(before, toTakeBack(input, before.asOfMs));
    if (result !== 'repeated' && result !== 'not_kept') this.#table.set(key, state);
  }

  /**
   * A key that hands over keeps here what it had: the profile that it joined takes that as a part of its own. Of a state
   * that is handed over only the ids and the values count, since they decide what counts from then on.
   */
  #takeIdentity(key: string, { identity, self }: IdentityInput): void {
    const node = this.#nodes.get(key);
    const atMs = this.#logTimeMs;
    switch (identity.kind) {
      case 'link': {
        const { other } = identity.link;
        const taken = other && takeLink(node, { self, other, atMs });
        if (taken?.result === 'take') this.#setNode(key, taken.node);
        break;
      }
      case 'join': {
        const { target, alias } = identity.join;
        const taken = target && takeJoin(node, { self, target, rule: alias ? 'alias' : 'claim', atMs });
        if (taken?.node !== undefined) this.#setNode(key, taken.node);
        break;
      }
      case 'hand_over': {
        const { from, state } = identity.handOver;
        const members = identity.handOver.members.map(({ joined, ...member }) => ({ ...member, isJoined: joined }));
        const taken = takeHandOver(node, { from, members, atMs });
        if (taken.result === 'forward') break;
        if (state.length > 0) this.#rememberIds(key, state);
        this.#setNode(key, taken.node);
        break;
      }
      // Of a profile that an unmerge has parted no part is taken.
      case 'unmerge':
      case 'change':
    }
  }

  #rememberIds(key: string, handedOver: Buffer): void {
    const { spec, specs } = this.#target;
    const { engine, outliers } = createProfileStates(specs).decode(handedOver);
    this.#keepSeries(key, outliers && mergeSeries(this.#series.get(key) ?? [], outliers));
    const { messages, orders, corrections } = engine;
    const ids = { ...spec.advance(spec.empty, engine.asOfMs), messages, orders, ...(corrections && { corrections }) };
    const merged = spec.merge(this.#table.get(key) ?? spec.emptyPart, ids);
    this.#table.set(key, spec.advance(merged, Math.max(this.#logTimeMs, merged.asOfMs + 1)));
  }

  #setNode(key: string, node: ProfileNode): void {
    if (node === LONE_ROOT) this.#nodes.delete(key);
    else this.#nodes.set(key, node);
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
