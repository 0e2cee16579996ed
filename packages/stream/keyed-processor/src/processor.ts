import { toConsumerGroup, toTopic } from '@perennial/contracts';
import type { Log, LogConsumer } from '@perennial/kafka';
import { type Clock, createRandomToken, every, isAppError, ReleaseStack, retry, systemClock } from '@perennial/kernel';
import type { Redis } from '@perennial/redis';
import type { Logger, Metrics } from '@perennial/telemetry';
import type { ProcessorDefinition } from './definition.js';
import { DEFAULT_LIMITS, type ProcessorLimits } from './limits.js';
import { checkContinuity } from './partition/continuity.js';
import { DEFAULT_LINGER, Linger, type LingerLimits } from './partition/linger.js';
import { PartitionWorker } from './partition/partition-worker.js';
import { passSeam } from './processor-seam.js';
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
  /** Without them an emptied Redis can be rebuilt only while the log reaches back to its beginning. */
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
  /** Why it is not ready; empty when every owned partition is being processed. */
  problems(): string[];
  /** Drains within the limit, leaves the group. */
  stop(): Promise<void>;
}

/** How often lag is measured against the log's end. */
const OBSERVE_INTERVAL_MS = 5000;

/** Joins the group and processes whatever partitions it is given, until stopped. */
export async function startProcessor<State, Input, Evidence = undefined>(
  options: ProcessorOptions<State, Input, Evidence>,
): Promise<Processor> {
  const { namespace, logger } = options;
  const limits: ProcessorLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const clock = options.clock ?? systemClock;
  const random = options.random ?? Math.random;
  const telemetry = options.telemetry ?? createProcessorTelemetry(logger, options.metrics);
  const linger = new Linger({ ...DEFAULT_LINGER, ...options.linger }, clock);
  const processor = options.definition.name;
  const openRedisStore: OpenPartitionStore = (partition) =>
    createRedisPartitionStore(options.redis, { namespace, processor, partition });
  const { definition, log, openStore, snapshots } = passSeam(
    {
      definition: options.definition,
      log: options.log,
      openStore: options.openStore ?? openRedisStore,
      snapshots: options.snapshots,
    },
    { namespace, redis: options.redis },
  );
  const partitions = await retry(async () => (await log.offsets(definition.inputTopic)).size, {
    initialMs: limits.retryInitialMs,
    maxMs: limits.retryMaxMs,
    attemptsMax: limits.startAttemptsMax,
    clock,
    random,
    isRetriable: (error) => isAppError(error) && error.retriable,
    onRetry: ({ error }) => telemetry.consumerFailed(error),
  });
  const openSnapshots =
    snapshots &&
    createOpenSnapshots({
      settings: snapshots,
      namespace,
      processor: definition.name,
      topic: definition.inputTopic,
      partitions,
      log,
      clock,
      random,
      telemetry: options.snapshotTelemetry ?? createSnapshotTelemetry(logger, options.metrics),
    });
  if (openSnapshots === undefined)
    logger.warn('snapshots are off: an emptied Redis can be rebuilt only from a whole log');
  const workers = new Map<number, PartitionWorker<State, Input, Evidence>>();
  const releases = new ReleaseStack();
  const producer = await releases.acquire(
    'producer',
    () => log.createProducer({ clientId: definition.name }),
    (open) => open.close(),
  );
  let consumer: LogConsumer | undefined;

  function assign(partition: number): void {
    const store = openStore(partition);
    const worker = new PartitionWorker({
      definition,
      partition,
      partitions,
      deadLetterTopic: toTopic(namespace, 'deadLettered'),
      store,
      snapshots: openSnapshots?.(partition, store),
      producer,
      limits,
      clock,
      random,
      telemetry,
      createOwner: options.createOwner ?? createRandomToken,
      checkContinuity: (number, meta) =>
        checkContinuity(log, { topic: definition.inputTopic, partition: number, processor: definition.name }, meta),
      seek: (number, offset) => consumer?.seek(number, offset),
    });
    workers.set(partition, worker);
    worker.start();
  }

  async function revoke(partition: number): Promise<void> {
    const worker = workers.get(partition);
    if (worker === undefined) return;
    await worker.stop();
    if (workers.get(partition) === worker) workers.delete(partition);
    telemetry.released(partition);
  }

  consumer = await log.startConsumer(
    {
      groupId: toConsumerGroup(namespace, definition.name),
      topic: definition.inputTopic,
      sessionTimeoutMs: limits.sessionTimeoutMs,
      fetchBytesPerPartitionMax: limits.fetchBytesPerPartitionMax,
      fetchWaitMaxMs: limits.fetchWaitMaxMs,
      fromBeginning: true,
    },
    {
      onAssigned(assigned) {
        for (const partition of assigned) assign(partition);
      },
      async onRevoked(revoked) {
        await Promise.all(revoked.map(revoke));
      },
      async onRecords(partition, records) {
        await workers.get(partition)?.deliver(records);
        await linger.afterDelivery(records.length);
      },
      onError: (error) => telemetry.consumerFailed(error),
    },
  );
  const started = consumer;
  const commits = createGroupCommits(started, workers);
  releases.push('consumer', () => started.stop());
  const onError = (error: unknown) => telemetry.consumerFailed(error);
  const committing = every({ intervalMs: limits.groupCommitIntervalMs, clock, onError }, commits);
  const observing = every({ intervalMs: OBSERVE_INTERVAL_MS, clock, onError }, observe);
  // Not waited for: a question to a broker that is away takes longer than a drain may.
  releases.push('group commits', () => void committing.stop());
  releases.push('lag metrics', () => void observing.stop());

  async function observe(): Promise<void> {
    telemetry.owns(workers.size);
    const ends = await log.offsets(definition.inputTopic);
    for (const [partition, worker] of workers) {
      const lag = (ends.get(partition)?.high ?? 0) - (worker.next ?? 0);
      telemetry.observed(partition, { lag, outboxDepth: worker.outboxDepth, queued: worker.queued });
      if (lag < 0) await worker.verify();
      worker.observeSnapshots();
    }
  }

  return {
    problems() {
      return [...workers]
        .filter(([, worker]) => !worker.ready)
        .map(([partition, { restoring }]) =>
          restoring ? `partition ${partition} is being restored` : `partition ${partition} is not being processed`,
        );
    },
    async stop() {
      await commits().catch((error: unknown) => telemetry.consumerFailed(error));
      await releases.dispose();
    },
  };
}

/**
 * Commits group offsets that have moved since the last call. A hint only: the truth is in the store. But what is committed
 * was published: a rebuild, when the store is gone, takes it for the offset below which nothing is owed.
 */
function createGroupCommits(
  consumer: LogConsumer,
  workers: ReadonlyMap<number, { readonly published: number | undefined }>,
): () => Promise<void> {
  const committed = new Map<number, number>();
  return async () => {
    const moved = new Map<number, number>();
    for (const [partition, { published }] of workers) {
      if (published !== undefined && committed.get(partition) !== published) moved.set(partition, published);
    }
    if (moved.size === 0) return;
    await consumer.commit(moved);
    for (const [partition, next] of moved) committed.set(partition, next);
  };
}
