import { toConsumerGroup, toTopic } from '@perennial/contracts';
import {
  ConsumerHealth,
  type Log,
  type LogConsumer,
  NO_RECORDS,
  type PartitionOffsets,
  toLag,
  toUnread,
} from '@perennial/kafka';
import { AppError, type Clock, every, systemClock } from '@perennial/kernel';
import type { Logger, Metrics } from '@perennial/telemetry';
import type { ArchivedLog } from './archived-log.js';
import type { EventArchive } from './event-archive.js';
import { createArchiveEvents } from './events.js';
import { ARCHIVE_LIMITS, type ArchiveLimits, toFileBytesMax } from './limits.js';
import { PartitionArchiver } from './partition-archiver.js';

/** The consumer group. Its offsets show the archive's progress to lag tools; the archiver does not start from them. */
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
  /** Which partitions stand still, since when and why; empty when none does. */
  problems(): string[];
  /** Leaves the group; the next owner reads records that are in no file yet from the log again. */
  stop(): Promise<void>;
}

/** Joins a consumer group of its own and archives its assigned partitions of `event.accepted`, outside the hot path. */
export async function startArchiver(options: ArchiverOptions): Promise<Archiver> {
  const topic = toTopic(options.namespace, 'eventAccepted');
  const archiver = new TopicArchiver(options, { topic, partitions: (await options.log.offsets(topic)).size });
  await archiver.start();
  return archiver;
}

class TopicArchiver implements Archiver {
  readonly #options: ArchiverOptions;
  readonly #topic: string;
  readonly #limits: ArchiveLimits;
  readonly #fileBytesMax: number;
  readonly #clock: Clock;
  readonly #events: ReturnType<typeof createArchiveEvents>;
  readonly #health: ConsumerHealth;
  readonly #archivers = new Map<number, PartitionArchiver>();
  readonly #committed = new Map<number, number>();
  #consumer: LogConsumer | undefined;
  #observing: ReturnType<typeof every> | undefined;

  constructor(options: ArchiverOptions, { topic, partitions }: { topic: string; partitions: number }) {
    this.#options = options;
    this.#topic = topic;
    this.#limits = { ...ARCHIVE_LIMITS, ...options.limits };
    this.#fileBytesMax = toFileBytesMax(this.#limits, partitions);
    this.#clock = options.clock ?? systemClock;
    this.#events = createArchiveEvents(options.logger, options.metrics);
    this.#health = new ConsumerHealth({
      consumer: ARCHIVE_GROUP,
      topic,
      backoff: { initialMs: this.#limits.retryInitialMs, maxMs: this.#limits.retryMaxMs },
      clock: this.#clock,
      random: options.random ?? Math.random,
      metrics: options.metrics,
    });
  }

  async start(): Promise<void> {
    const { archive, namespace, log } = this.#options;
    const groupId = toConsumerGroup(namespace, ARCHIVE_GROUP);
    this.#consumer = await log.startConsumer(
      { groupId, topic: this.#topic, fromBeginning: true, ...this.#limits },
      {
        onAssigned: (partitions) => {
          this.#health.assigned(partitions);
          const listFiles = createShared(() => archive.list());
          for (const partition of partitions) this.#assign(partition, listFiles);
        },
        onRevoked: async (partitions) => {
          this.#health.revoked(partitions);
          await Promise.all(partitions.map((partition) => this.#revoke(partition)));
        },
        onRecords: async (partition, records) => {
          await this.#archivers.get(partition)?.take(records);
        },
        onError: (error) => {
          this.#health.consumerFailed(error);
          this.#events.consumerFailed(error);
        },
      },
    );
    this.#observing = every(
      { intervalMs: this.#limits.observeIntervalMs, clock: this.#clock, onError: this.#events.unmeasured },
      () => this.#observe(),
    );
  }

  problems(): string[] {
    return this.#health.problems();
  }

  async stop(): Promise<void> {
    const observed = this.#observing?.stop();
    await this.#commitGroup();
    // Before `observed`, which may wait for a file while the store is unavailable; that wait ends with the partition.
    await this.#consumer?.stop();
    await observed;
  }

  #assign(partition: number, listFiles: () => Promise<ReadonlyMap<number, ArchivedLog>>): void {
    const archiver = new PartitionArchiver({
      archive: this.#options.archive,
      listFiles,
      partition,
      limits: this.#limits,
      fileBytesMax: this.#fileBytesMax,
      clock: this.#clock,
      events: this.#events,
      health: this.#health,
      readOffsets: () => this.#readOffsets(partition),
      seek: (offset) => {
        if (this.#archivers.get(partition) === archiver) this.#consumer?.seek(partition, offset);
      },
      beyond: (offset) => this.#beyond(partition, offset),
    });
    this.#archivers.set(partition, archiver);
    archiver.start().catch((error: unknown) => {
      if (this.#archivers.get(partition) !== archiver) return;
      this.#health.failed(partition, error);
      this.#events.stopped(partition, error);
    });
  }

  async #revoke(partition: number): Promise<void> {
    const archiver = this.#archivers.get(partition);
    this.#archivers.delete(partition);
    this.#committed.delete(partition);
    this.#events.released(partition);
    await archiver?.stop();
  }

  async #readOffsets(partition: number): Promise<PartitionOffsets> {
    const offsets = (await this.#options.log.offsets(this.#topic)).get(partition);
    if (offsets === undefined) throw new AppError('not_found', `${this.#topic} has no partition ${partition}`);
    return offsets;
  }

  #beyond(partition: number, next: number): number {
    return this.#consumer?.beyond(partition, next) ?? next;
  }

  async #commitGroup(): Promise<void> {
    const moved = new Map<number, number>();
    for (const [partition, { archived }] of this.#archivers) {
      if (archived === undefined) continue;
      const next = this.#beyond(partition, archived);
      if (this.#committed.get(partition) !== next) moved.set(partition, next);
    }
    if (moved.size === 0) return;
    await this.#consumer?.commit(moved);
    for (const [partition, archived] of moved) this.#committed.set(partition, archived);
  }

  async #observe(): Promise<void> {
    // Not awaited: age and lag must be measured above all while the store is unavailable.
    for (const archiver of this.#archivers.values()) archiver.closeQuiet().catch(this.#events.unmeasured);
    await this.#commitGroup();
    const ends = await this.#options.log.offsets(this.#topic);
    for (const [partition, { archived, oldestMs, next }] of this.#archivers) {
      const reach = ends.get(partition) ?? NO_RECORDS;
      const lag = toLag(toUnread(reach, this.#beyond(partition, archived ?? 0)));
      // What is read waits for its file's window to end: that is no standstill.
      if (next !== undefined)
        this.#health.observed(partition, { next: this.#beyond(partition, next), end: reach.high });
      const ageMs = oldestMs === undefined ? 0 : Math.max(0, this.#clock.now() - oldestMs);
      this.#events.observed(partition, { lag, ageMs });
    }
    this.#health.heldBack(await this.#options.log.heldBack(this.#topic));
  }
}

/** One listing for all partitions assigned together, since it names every file. A failed listing is not cached. */
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
