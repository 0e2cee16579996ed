import { toConsumerGroup, toTopic } from '@perennial/contracts';
import { ConsumerHealth, type Log, type LogConsumer, type LogProducer } from '@perennial/kafka';
import { type Clock, createRandomToken, every, isAppError, ReleaseStack, retry, systemClock } from '@perennial/kernel';
import type { Redis } from '@perennial/redis';
import type { Logger, Metrics } from '@perennial/telemetry';
import { SourceEnds } from './batch/source-ends.js';
import type { ProcessorDefinition } from './definition.js';
import { DEFAULT_LIMITS, type ProcessorLimits } from './limits.js';
import { checkContinuity } from './partition/continuity.js';
import { DEFAULT_LINGER, Linger, type LingerLimits } from './partition/linger.js';
import { PartitionWorker } from './partition/partition-worker.js';
import { describeRepeating } from './partition/repeat-watch.js';
import { type ProcessorPorts, passSeam } from './processor-seam.js';
import { createOpenSnapshots, type SnapshotSettings } from './snapshot/open-snapshots.js';
import { createSnapshotTelemetry, type SnapshotTelemetry } from './snapshot/snapshot-telemetry.js';
import { createRedisPartitionStore } from './store/redis-store.js';
import type { OpenPartitionStore } from './store/store.js';
import { createProcessorTelemetry, type ProcessorTelemetry } from './telemetry.js';

export interface ProcessorOptions<State, Input, Evidence> {
  readonly definition: ProcessorDefinition<State, Input, Evidence>;
  readonly namespace: string;
  readonly log: Log;
  readonly redis: Redis;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly limits?: Partial<ProcessorLimits>;
  readonly linger?: Partial<LingerLimits>;
  /** Without snapshots, an emptied Redis can be rebuilt only while the log reaches back to its beginning. */
  readonly snapshots?: SnapshotSettings | undefined;
  /** Replaceable for tests. */
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly createOwner?: () => string;
  readonly openStore?: OpenPartitionStore;
  readonly telemetry?: ProcessorTelemetry;
  readonly snapshotTelemetry?: SnapshotTelemetry;
}

export interface Processor {
  /** Why the processor is not ready; empty when every owned partition is being processed. */
  problems(): string[];
  /** What an operator should know though the processor is ready: sources of which every record is dropped. */
  notes(): string[];
  /** Drains within the limit, then leaves the group. */
  stop(): Promise<void>;
}

/** How often lag against the log's end is measured. */
const OBSERVE_INTERVAL_MS = 5000;

/** Joins the group and processes its assigned partitions until stopped. */
export async function startProcessor<State, Input, Evidence = undefined>(
  options: ProcessorOptions<State, Input, Evidence>,
): Promise<Processor> {
  const processor = new GroupProcessor(options);
  await processor.start();
  return processor;
}

class GroupProcessor<State, Input, Evidence> implements Processor {
  readonly #options: ProcessorOptions<State, Input, Evidence>;
  readonly #ports: ProcessorPorts<State, Input, Evidence>;
  readonly #limits: ProcessorLimits;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #telemetry: ProcessorTelemetry;
  readonly #linger: Linger;
  readonly #sourceEnds: SourceEnds;
  readonly #health: ConsumerHealth;
  readonly #workers = new Map<number, PartitionWorker<State, Input, Evidence>>();
  readonly #releases = new ReleaseStack();
  #consumer: LogConsumer | undefined;
  #commitGroup: () => Promise<void> = async () => {};

  constructor(options: ProcessorOptions<State, Input, Evidence>) {
    this.#options = options;
    this.#ports = createPorts(options);
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#telemetry = options.telemetry ?? createProcessorTelemetry(options.logger, options.metrics);
    this.#sourceEnds = new SourceEnds((topic) => this.#ports.log.offsets(topic));
    this.#health = new ConsumerHealth({
      consumer: this.#ports.definition.name,
      topic: this.#ports.definition.inputTopic,
      backoff: { initialMs: this.#limits.retryInitialMs, maxMs: this.#limits.retryMaxMs },
      clock: this.#clock,
      random: this.#random,
      metrics: options.metrics,
    });
    this.#linger = new Linger({ ...DEFAULT_LINGER, ...options.linger }, this.#clock);
  }

  async start(): Promise<void> {
    const { definition, log } = this.#ports;
    const partitions = await this.#countPartitions();
    const openSnapshots = this.#createOpenSnapshots(partitions);
    if (openSnapshots === undefined)
      this.#options.logger.warn(
        'snapshots are off: after a loss of redis, states can be rebuilt only while the log still has every record',
      );
    const producer = await this.#releases.acquire(
      'producer',
      () => log.createProducer({ clientId: definition.name }),
      (open) => open.close(),
    );
    const consumer = await this.#startConsumer({ partitions, producer, openSnapshots });
    this.#consumer = consumer;
    this.#commitGroup = createGroupCommits(consumer, this.#workers);
    this.#releases.push('consumer', () => consumer.stop());
    this.#startIntervals();
  }

  problems(): string[] {
    const waiting = [...this.#workers].filter(([partition, { ready }]) => !ready && this.#health.isReady(partition));
    return [
      ...this.#health.problems(),
      ...waiting.map(([partition, { restoring }]) =>
        restoring ? `partition ${partition} is being restored` : `partition ${partition} is not being processed yet`,
      ),
    ];
  }

  notes(): string[] {
    return [...this.#workers].flatMap(([partition, { repeating }]) =>
      repeating.map((source) => describeRepeating(partition, source)),
    );
  }

  async stop(): Promise<void> {
    await this.#commitGroup().catch((error: unknown) => this.#telemetry.consumerFailed(error));
    await this.#releases.dispose();
  }

  #countPartitions(): Promise<number> {
    const { definition, log } = this.#ports;
    const { retryInitialMs, retryMaxMs, startAttemptsMax } = this.#limits;
    return retry(async () => (await log.offsets(definition.inputTopic)).size, {
      initialMs: retryInitialMs,
      maxMs: retryMaxMs,
      attemptsMax: startAttemptsMax,
      clock: this.#clock,
      random: this.#random,
      isRetriable: (error) => isAppError(error) && error.retriable,
      onRetry: ({ error }) => this.#telemetry.consumerFailed(error),
    });
  }

  #createOpenSnapshots(partitions: number): OpenSnapshots | undefined {
    const { definition, log, snapshots } = this.#ports;
    const { namespace, logger, metrics, snapshotTelemetry } = this.#options;
    if (snapshots === undefined) return undefined;
    return createOpenSnapshots({
      settings: snapshots,
      namespace,
      processor: definition.name,
      topic: definition.inputTopic,
      partitions,
      log,
      clock: this.#clock,
      random: this.#random,
      telemetry: snapshotTelemetry ?? createSnapshotTelemetry(logger, metrics),
    });
  }

  #startConsumer(shared: SharedByWorkers): Promise<LogConsumer> {
    const { definition, log } = this.#ports;
    const { sessionTimeoutMs, fetchBytesPerPartitionMax, fetchWaitMaxMs } = this.#limits;
    return log.startConsumer(
      {
        groupId: toConsumerGroup(this.#options.namespace, definition.name),
        topic: definition.inputTopic,
        sessionTimeoutMs,
        fetchBytesPerPartitionMax,
        fetchWaitMaxMs,
        fromBeginning: true,
      },
      {
        onAssigned: (assigned) => {
          this.#health.assigned(assigned);
          for (const partition of assigned) this.#assign(partition, shared);
        },
        onRevoked: async (revoked) => {
          this.#health.revoked(revoked);
          await Promise.all(revoked.map((partition) => this.#revoke(partition)));
        },
        onRecords: async (partition, records) => {
          await this.#workers.get(partition)?.deliver(records);
          await this.#linger.afterDelivery(records.length);
        },
        onError: (error) => {
          this.#health.consumerFailed(error);
          this.#telemetry.consumerFailed(error);
        },
      },
    );
  }

  #assign(partition: number, { partitions, producer, openSnapshots }: SharedByWorkers): void {
    const { definition, log, openStore } = this.#ports;
    const { namespace, createOwner = createRandomToken } = this.#options;
    const store = openStore(partition);
    const worker = new PartitionWorker({
      definition,
      partition,
      partitions,
      deadLetterTopic: toTopic(namespace, 'deadLettered'),
      store,
      snapshots: openSnapshots?.(partition, store),
      producer,
      limits: this.#limits,
      clock: this.#clock,
      random: this.#random,
      telemetry: this.#telemetry,
      createOwner,
      checkContinuity: (number, meta) =>
        checkContinuity(log, { topic: definition.inputTopic, partition: number, processor: definition.name }, meta),
      health: this.#health,
      sourceEnds: this.#sourceEnds,
      seek: (number, offset) => this.#consumer?.seek(number, offset),
    });
    this.#workers.set(partition, worker);
    worker.start();
  }

  async #revoke(partition: number): Promise<void> {
    const worker = this.#workers.get(partition);
    if (worker === undefined) return;
    await worker.stop();
    if (this.#workers.get(partition) === worker) this.#workers.delete(partition);
    this.#telemetry.released(partition);
  }

  #startIntervals(): void {
    const clock = this.#clock;
    const onError = (error: unknown) => this.#telemetry.consumerFailed(error);
    const { groupCommitIntervalMs } = this.#limits;
    const committing = every({ intervalMs: groupCommitIntervalMs, clock, onError }, this.#commitGroup);
    const observing = every({ intervalMs: OBSERVE_INTERVAL_MS, clock, onError }, () => this.#observe());
    // Not awaited: a request to an unavailable broker takes longer than a drain may.
    this.#releases.push('group commits', () => void committing.stop());
    this.#releases.push('lag metrics', () => void observing.stop());
  }

  async #observe(): Promise<void> {
    this.#telemetry.owns(this.#workers.size);
    const ends = await this.#ports.log.offsets(this.#ports.definition.inputTopic);
    for (const [partition, worker] of this.#workers) {
      const end = ends.get(partition)?.high ?? 0;
      const toBeyond = (offset: number) => this.#consumer?.beyond(partition, offset) ?? offset;
      const lag = end - toBeyond(worker.next ?? 0);
      if (worker.published !== undefined && !worker.restoring)
        this.#health.observed(partition, { next: toBeyond(worker.published), end });
      this.#telemetry.observed(partition, { lag, outboxDepth: worker.outboxDepth, queued: worker.queued });
      this.#telemetry.repeating(partition, worker.repeating);
      if (lag < 0) await worker.verify();
      worker.observeSnapshots();
    }
    this.#health.heldBack(await this.#ports.log.heldBack(this.#ports.definition.inputTopic));
  }
}

type OpenSnapshots = ReturnType<typeof createOpenSnapshots>;

interface SharedByWorkers {
  readonly partitions: number;
  readonly producer: LogProducer;
  readonly openSnapshots: OpenSnapshots | undefined;
}

function createPorts<State, Input, Evidence>(
  options: ProcessorOptions<State, Input, Evidence>,
): ProcessorPorts<State, Input, Evidence> {
  const { definition, namespace, log, redis, snapshots } = options;
  const openRedisStore: OpenPartitionStore = (partition) =>
    createRedisPartitionStore(redis, { namespace, processor: definition.name, partition });
  const openStore = options.openStore ?? openRedisStore;
  return passSeam({ definition, log, openStore, snapshots }, { namespace, redis });
}

/**
 * Commits group offsets that have moved since the last call. They are only a hint; the store is authoritative. But all
 * outputs below a committed offset have been published: a rebuild after the loss of the store uses that.
 */
function createGroupCommits(
  consumer: LogConsumer,
  workers: ReadonlyMap<number, { readonly published: number | undefined }>,
): () => Promise<void> {
  const committed = new Map<number, number>();
  return async () => {
    const moved = new Map<number, number>();
    for (const [partition, { published }] of workers) {
      if (published === undefined) continue;
      const next = consumer.beyond(partition, published);
      if (committed.get(partition) !== next) moved.set(partition, next);
    }
    if (moved.size === 0) return;
    await consumer.commit(moved);
    for (const [partition, next] of moved) committed.set(partition, next);
  };
}
