import { toConsumerGroup, toTopic } from '@perennial/contracts';
import type { Log, LogConsumer, PartitionOffsets } from '@perennial/kafka';
import { AppError, type Clock, every, systemClock } from '@perennial/kernel';
import type { Logger, Metrics } from '@perennial/telemetry';
import type { ArchiveChain } from './chain.js';
import type { EventArchive } from './event-archive.js';
import { createArchiveEvents } from './events.js';
import { ARCHIVE_LIMITS, type ArchiveLimits, toFileBytesMax } from './limits.js';
import { PartitionArchiver } from './partition-archiver.js';

/** Names the consumer group, whose offsets say how far the archive is: for lag tools, nobody begins from them. */
export const ARCHIVE_GROUP = 'event-archive';

export interface ArchiverOptions {
  readonly archive: EventArchive;
  readonly namespace: string;
  readonly log: Log;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly limits?: Partial<ArchiveLimits>;
  /** Replaceable for tests. */
  readonly clock?: Clock;
  readonly random?: () => number;
}

export interface Archiver {
  /** Leaves the group; what is not in a file yet is read from the log again by whoever goes on. */
  stop(): Promise<void>;
}

/** Joins a group of its own and archives whatever partitions of `event.accepted` it is given, beside the hot path. */
export async function startArchiver(options: ArchiverOptions): Promise<Archiver> {
  const { archive, namespace, log } = options;
  const limits: ArchiveLimits = { ...ARCHIVE_LIMITS, ...options.limits };
  const clock = options.clock ?? systemClock;
  const random = options.random ?? Math.random;
  const events = createArchiveEvents(options.logger, options.metrics);
  const topic = toTopic(namespace, 'eventAccepted');
  const fileBytesMax = toFileBytesMax(limits, (await log.offsets(topic)).size);
  const archivers = new Map<number, PartitionArchiver>();
  const committed = new Map<number, number>();
  let consumer: LogConsumer | undefined;

  async function readOffsets(partition: number): Promise<PartitionOffsets> {
    const offsets = (await log.offsets(topic)).get(partition);
    if (offsets === undefined) throw new AppError('not_found', `${topic} has no partition ${partition}`);
    return offsets;
  }

  function assign(partition: number, listFiles: () => Promise<ReadonlyMap<number, ArchiveChain>>): void {
    const archiver = new PartitionArchiver({
      archive,
      listFiles,
      partition,
      limits,
      fileBytesMax,
      clock,
      random,
      events,
      readOffsets: () => readOffsets(partition),
      seek: (offset) => void (archivers.get(partition) === archiver && consumer?.seek(partition, offset)),
    });
    archivers.set(partition, archiver);
    archiver.start().catch((error: unknown) => {
      if (archivers.get(partition) === archiver) events.refused(partition, error);
    });
  }

  async function revoke(partition: number): Promise<void> {
    const archiver = archivers.get(partition);
    archivers.delete(partition);
    committed.delete(partition);
    events.released(partition);
    await archiver?.stop();
  }

  consumer = await log.startConsumer(
    { groupId: toConsumerGroup(namespace, ARCHIVE_GROUP), topic, fromBeginning: true, ...limits },
    {
      onAssigned(partitions) {
        const listFiles = createShared(() => archive.list());
        for (const partition of partitions) assign(partition, listFiles);
      },
      async onRevoked(partitions) {
        await Promise.all(partitions.map(revoke));
      },
      async onRecords(partition, records) {
        await archivers.get(partition)?.take(records);
      },
      onError: (error) => events.consumerFailed(error),
    },
  );
  const started = consumer;

  async function commitGroup(): Promise<void> {
    const moved = new Map<number, number>();
    for (const [partition, { archived }] of archivers) {
      if (archived !== undefined && committed.get(partition) !== archived) moved.set(partition, archived);
    }
    if (moved.size === 0) return;
    await started.commit(moved);
    for (const [partition, archived] of moved) committed.set(partition, archived);
  }

  async function observe(): Promise<void> {
    // Not waited for: age and lag are told while the store is away, above all then.
    for (const archiver of archivers.values()) archiver.closeQuiet().catch(events.unmeasured);
    await commitGroup();
    const ends = await log.offsets(topic);
    for (const [partition, { archived, oldestMs }] of archivers) {
      const lag = Math.max(0, (ends.get(partition)?.high ?? 0) - (archived ?? 0));
      events.observed(partition, { lag, ageMs: oldestMs === undefined ? 0 : Math.max(0, clock.now() - oldestMs) });
    }
  }

  const observing = every({ intervalMs: limits.observeIntervalMs, clock, onError: events.unmeasured }, observe);

  return {
    async stop() {
      const observed = observing.stop();
      await commitGroup();
      // Before `observed`: it may wait for a file whose store is away, which is given up with the partition.
      await started.stop();
      await observed;
    },
  };
}

/** One listing for all partitions that came together: it names every file. A failed one is not kept. */
function createShared<T>(operation: () => Promise<T>): () => Promise<T> {
  let shared: Promise<T> | undefined;
  return () => {
    shared ??= operation().catch((error: unknown) => {
      shared = undefined;
      throw error;
    });
    return shared;
  };
}
