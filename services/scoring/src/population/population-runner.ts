import type { ArtifactStore } from '@perennial/artifacts';
import { AcceptedRecord, encodeControl, POPULATION_ROLLOUT_KIND, type Rollout, toTopic } from '@perennial/contracts';
import type { FeatureSpecs } from '@perennial/feature-engine';
import { type Clock, every, isAppError, systemClock } from '@perennial/kernel';
import { encodePopulation, listMeasures, type Population, type Segments, toThresholds } from '@perennial/segments';
import type { ScoringArtifacts } from '../artifacts.js';
import { measurePartition, type ReadPartitionStates, sumPopulations } from './measure.js';
import type { PopulationTelemetry } from './population-telemetry.js';

const RUNNER_LIMITS = {
  /** How often it looks whether a population is wanted and not there. */
  intervalMs: 15_000,
  /** How often the population is measured again. */
  measureMs: 900_000,
  /** A partition whose log time is this far beyond a sending, and that lacks what was sent, has lost it. */
  settleMs: 60_000,
} as const;

/** What readers see of a partition. */
interface PartitionView {
  readonly logTimeMs: number;
  readonly inForce: ReadonlyMap<string, Rollout>;
}

export interface PopulationRunnerOptions {
  readonly namespace: string;
  readonly artifacts: Pick<ScoringArtifacts, 'segmentsInForce' | 'population' | 'loadSpecs'>;
  readonly specs: FeatureSpecs;
  readonly store: Pick<ArtifactStore, 'put'>;
  /** True while this process may measure. */
  readonly hold: () => Promise<boolean>;
  /** Each partition, in order. Throws a retriable `dependency_unavailable` while one cannot be read. */
  readonly readPartitions: () => Promise<readonly PartitionView[]>;
  readonly readStates: ReadPartitionStates;
  /** Resolves once all are acknowledged. */
  readonly send: (records: ReadonlyArray<ReturnType<typeof toRecord>>) => Promise<void>;
  readonly telemetry: PopulationTelemetry;
  readonly limits?: Partial<Record<keyof typeof RUNNER_LIMITS, number>>;
  readonly clock?: Clock;
}

/**
 * Measures how features are spread over all profiles, where grids or rank tags in force want it, and puts it in force by a rollout
 * in the log: so a rebuild has the same thresholds at the same positions. One process of a namespace does it at a time.
 */
export function startPopulationRunner(options: PopulationRunnerOptions): { stop(): Promise<void> } {
  const { clock = systemClock, telemetry, limits } = options;
  const { intervalMs } = { ...RUNNER_LIMITS, ...limits };
  const runner = new PopulationRunner(options);
  const interval = every({ intervalMs, clock, onError: telemetry.failed }, () => runner.run());
  return { stop: () => interval.stop() };
}

interface SentRollout {
  readonly rollout: Rollout;
  readonly partitions: readonly number[];
  readonly atMs: number;
}

export class PopulationRunner {
  readonly #options: PopulationRunnerOptions;
  readonly #clock: Clock;
  readonly #measureMs: number;
  #measuredAtMs: number | undefined;
  /** Acknowledged by the log; partitions that lag have yet to read it. */
  #sent: SentRollout | undefined;

  constructor(options: PopulationRunnerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#measureMs = { ...RUNNER_LIMITS, ...options.limits }.measureMs;
  }

  /** One look: measures if it is time to, or if no population is in force. */
  async run(): Promise<void> {
    const { artifacts, hold } = this.#options;
    const partitions = await this.#readPartitions();
    const [first] = partitions;
    if (first === undefined) return;
    const segments = (await artifacts.segmentsInForce(first.inForce))?.rules;
    if (segments === undefined || listMeasures(segments).length === 0) return;
    // Held between measurements, too: else each process would measure once in that time.
    if (!(await hold())) {
      this.#measuredAtMs = undefined;
      this.#sent = undefined;
      return;
    }
    const current = partitions.map((partition, index) => this.#toCurrent(partition, index));
    if (!this.#isDue(current)) return;
    const beganMs = this.#clock.steadyMs();
    const population = await this.#measure(segments, partitions);
    const number = await this.#putInForce(segments, population, current);
    this.#measuredAtMs = this.#clock.steadyMs();
    const last = Math.max(0, ...current.map((rollout) => rollout?.number ?? 0));
    const tookMs = this.#measuredAtMs - beganMs;
    this.#options.telemetry.measured({ number, isNew: number !== last, tookMs });
  }

  /** None while a partition is restored, or nobody has begun it. */
  async #readPartitions(): Promise<readonly PartitionView[]> {
    try {
      return await this.#options.readPartitions();
    } catch (error) {
      if (isAppError(error, 'dependency_unavailable')) return [];
      throw error;
    }
  }

  /** What is in force in a partition, or will be once it has read what was sent to it. */
  #toCurrent({ inForce, logTimeMs }: PartitionView, partition: number): Rollout | undefined {
    const known = inForce.get(POPULATION_ROLLOUT_KIND);
    const sent = this.#sent;
    if (sent === undefined || !sent.partitions.includes(partition)) return known;
    const isAhead = known !== undefined && known.number >= sent.rollout.number;
    const { settleMs } = { ...RUNNER_LIMITS, ...this.#options.limits };
    return isAhead || logTimeMs > sent.atMs + settleMs ? known : sent.rollout;
  }

  #isDue(current: ReadonlyArray<Rollout | undefined>): boolean {
    const isMissing = new Set(current.map((rollout) => rollout?.hash)).size > 1 || current.includes(undefined);
    const waitMs = isMissing ? RUNNER_LIMITS.intervalMs : this.#measureMs;
    return this.#measuredAtMs === undefined || this.#clock.steadyMs() - this.#measuredAtMs >= waitMs;
  }

  async #measure(segments: Segments, partitions: readonly PartitionView[]): Promise<Population> {
    const { artifacts, specs, readStates, hold } = this.#options;
    await artifacts.loadSpecs();
    const parts: Population[] = [];
    for (const [partition, { inForce, logTimeMs }] of partitions.entries()) {
      const at = { specs, features: inForce.get('features'), atMs: logTimeMs };
      parts.push(await measurePartition(segments, readStates(partition), at));
      await hold();
    }
    return sumPopulations(segments, parts);
  }

  /** Nothing is written while the thresholds are those in force everywhere: each rollout is a record on every partition. */
  async #putInForce(
    segments: Segments,
    population: Population,
    current: ReadonlyArray<Rollout | undefined>,
  ): Promise<number> {
    const { artifacts, namespace, send, store } = this.#options;
    const last = [...current, this.#sent?.rollout].reduce(
      (a, b) => ((b?.number ?? 0) > (a?.number ?? 0) ? b : a),
      undefined,
    );
    const before = last && (await artifacts.population(last.hash));
    const toText = (of: Population | undefined) => JSON.stringify(toThresholds(segments, of), toComparable);
    const isSame = last !== undefined && toText(before) === toText(population);
    const hash = isSame ? last.hash : await store.put('population', encodePopulation(population));
    const number = isSame ? last.number : (last?.number ?? 0) + 1;
    const rollout = { kind: POPULATION_ROLLOUT_KIND, number, hash };
    const topic = toTopic(namespace, 'eventAccepted');
    const lacking = current.flatMap((known, partition) => (known?.hash === hash ? [] : [partition]));
    if (lacking.length === 0) return number;
    await send(lacking.map((partition) => toRecord(rollout, { topic, partition })));
    const waiting = this.#sent?.rollout.hash === hash ? this.#sent.partitions : [];
    this.#sent = { rollout, partitions: [...waiting, ...lacking], atMs: this.#clock.now() };
    return number;
  }
}

/** JSON has no infinities: a threshold that lets everybody in would be taken for none that is known. */
function toComparable(_: string, value: unknown): unknown {
  return value === Number.NEGATIVE_INFINITY ? 'everybody' : value;
}

function toRecord(rollout: Rollout, { topic, partition }: { readonly topic: string; readonly partition: number }) {
  const value = encodeControl(AcceptedRecord, { kind: 'rollout', rollout });
  return { topic, partition, key: null, value, headers: {} };
}
