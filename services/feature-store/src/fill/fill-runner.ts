import type { ArtifactStore } from '@perennial/artifacts';
import type { BlobStore } from '@perennial/blob-store';
import { AcceptedRecord, encodeControl, type Rollout, toTopic } from '@perennial/contracts';
import type { EventArchive } from '@perennial/event-archive';
import type { FeatureSpecs } from '@perennial/feature-engine';
import { AppError, type Clock, every, isAppError, systemClock } from '@perennial/kernel';
import type { JobLease } from '@perennial/processor-host';
import type { FeatureArtifacts } from '../artifacts.js';
import { encodeFill, type PartitionFill } from './fill-document.js';
import type { FillTarget } from './fill-fold.js';
import { type FillLimits, fillPartition, toFillNames } from './fill-partition.js';
import type { FillTelemetry } from './fill-telemetry.js';
import { isFilling } from './fills.js';

const RUNNER_LIMITS = {
  /** How often it looks whether there is something to fill, or more in the archive. */
  intervalMs: 5_000,
  /** After this time a fill that was put in force, but is not, is put in force again. */
  againMs: 60_000,
} as const;

type InForce = ReadonlyMap<string, Rollout>;

/** A record of `event.accepted` of one partition. */
interface RolloutRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: null;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

export interface FillRunnerOptions {
  readonly namespace: string;
  readonly artifacts: Pick<FeatureArtifacts, 'fills' | 'loadAll' | 'rates'>;
  readonly specs: FeatureSpecs;
  readonly definition: FillTarget['definition'];
  readonly store: Pick<ArtifactStore, 'put'>;
  readonly archive: Pick<EventArchive, 'list' | 'readLog'>;
  /** Holds checkpoints and results. */
  readonly blobs: BlobStore;
  readonly lease: JobLease;
  /** What is in force on each partition. Throws a retriable AppError while a partition cannot be read. */
  readonly readInForce: () => Promise<readonly InForce[]>;
  /** Resolves once all are acknowledged. */
  readonly send: (records: readonly RolloutRecord[]) => Promise<void>;
  readonly telemetry: FillTelemetry;
  readonly limits?: Partial<Record<keyof typeof RUNNER_LIMITS, number> & FillLimits>;
  /** Replaceable for tests. */
  readonly clock?: Clock;
}

export interface FillRunner {
  /** The next process goes on at the last checkpoint. */
  stop(): Promise<void>;
}

/** Fills the feature spec in force from the archive where that is asked for, beside the processor, until stopped. */
export function startFillRunner(options: FillRunnerOptions): FillRunner {
  const { clock = systemClock, telemetry, limits } = options;
  const { intervalMs } = { ...RUNNER_LIMITS, ...limits };
  const stopping = new AbortController();
  const runner = new Runner(options, stopping.signal);
  const onError = (error: unknown) => {
    if (!stopping.signal.aborted) telemetry.failed(error);
  };
  const interval = every({ intervalMs, clock, onError }, () => runner.run());
  return {
    async stop() {
      stopping.abort(new AppError('dependency_unavailable', 'this process stops', { retriable: true }));
      await interval.stop();
    },
  };
}

class Runner {
  readonly #options: FillRunnerOptions;
  readonly #signal: AbortSignal;
  readonly #clock: Clock;
  readonly #againMs: number;
  #begun: string | undefined;
  #sent: { readonly hash: string; readonly atMs: number } | undefined;

  constructor(options: FillRunnerOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#clock = options.clock ?? systemClock;
    this.#againMs = { ...RUNNER_LIMITS, ...options.limits }.againMs;
  }

  async run(): Promise<void> {
    const { lease, telemetry, store } = this.#options;
    const found = await this.#findWork();
    if (found === undefined || !(await lease.hold())) return telemetry.idle();
    const { rollout, lacking } = found;
    if (this.#begun !== rollout.hash) telemetry.began({ number: rollout.number, hash: rollout.hash });
    this.#begun = rollout.hash;
    telemetry.aged(await this.#readAge(rollout.hash));
    const partitions = await this.#fillAll(rollout, found.partitions);
    if (partitions === undefined) return;
    const hash = await store.put('feature-fill', encodeFill({ spec: rollout.hash, partitions }));
    await this.#rollOut({ kind: 'feature-fill', number: rollout.number, hash }, lacking);
  }

  /** The spec that every partition wants filled, and the partitions that lack the fill; undefined for none. */
  async #findWork() {
    const { artifacts, specs, readInForce, telemetry } = this.#options;
    let partitions: readonly InForce[];
    try {
      partitions = await readInForce();
    } catch (error) {
      if (!isAppError(error, 'dependency_unavailable')) throw error;
      // A partition is restored, or was not begun yet.
      telemetry.waiting(error);
      return undefined;
    }
    const rollout = partitions[0]?.get('features');
    if (rollout === undefined) return undefined;
    if (!specs.hasArtifact(rollout.hash)) await artifacts.loadAll();
    const lacking: number[] = [];
    for (const [partition, inForce] of partitions.entries()) {
      const wants =
        inForce.get('features')?.hash === rollout.hash && inForce.get('feature-filling')?.hash === rollout.hash;
      if (!wants) return undefined;
      if (isFilling(inForce, await artifacts.fills.get(inForce))) lacking.push(partition);
    }
    return lacking.length === 0 ? undefined : { rollout, lacking, partitions: partitions.length };
  }

  /** The fill of every partition; undefined while the archive does not reach all of their positions. */
  async #fillAll({ hash }: Rollout, partitions: number): Promise<PartitionFill[] | undefined> {
    const { artifacts, specs, definition, lease, telemetry } = this.#options;
    const target = { spec: specs.inForce({ hash }), specs, hash, definition, rates: artifacts.rates };
    const fills: PartitionFill[] = [];
    for (let partition = 0; partition < partitions; partition++) {
      let next = 0;
      const fill = await fillPartition(
        {
          ...this.#options,
          target,
          signal: this.#signal,
          onProgress: async (at) => {
            telemetry.folded(partition, { ...at, records: Math.max(0, at.next - next) });
            next = at.next;
            await lease.hold();
          },
        },
        partition,
      );
      if (fill === undefined) continue;
      telemetry.filled(partition, fill);
      fills.push(fill);
    }
    return fills.length === partitions ? fills : undefined;
  }

  async #rollOut(rollout: Rollout, lacking: readonly number[]): Promise<void> {
    const { namespace, send, telemetry } = this.#options;
    const nowMs = this.#clock.steadyMs();
    // What was sent is in force once the partition has come to it.
    if (this.#sent?.hash === rollout.hash && nowMs - this.#sent.atMs < this.#againMs) return;
    const topic = toTopic(namespace, 'eventAccepted');
    const value = encodeControl(AcceptedRecord, { kind: 'rollout', rollout });
    await send(lacking.map((partition) => ({ topic, partition, key: null, value, headers: {} })));
    this.#sent = { hash: rollout.hash, atMs: nowMs };
    telemetry.completed({ number: rollout.number, hash: rollout.hash, partitions: lacking.length });
  }

  /** Since the first process began; kept beside the checkpoints. */
  async #readAge(hash: string): Promise<number> {
    const { blobs, namespace } = this.#options;
    const name = `${toFillNames(namespace, hash, 0).prefix}begun`;
    const known = await blobs.get(name);
    if (known === undefined) await blobs.put(name, Buffer.from(String(this.#clock.now())));
    return known === undefined ? 0 : Math.max(0, this.#clock.now() - Number(known.toString()));
  }
}
