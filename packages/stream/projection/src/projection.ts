import {
  ConsumerHealth,
  type Log,
  type LogConsumer,
  type LogRecord,
  NO_RECORDS,
  sumLag,
  toUnread,
} from '@perennial/kafka';
import { type Clock, every, type Interval, systemClock, toMessage } from '@perennial/kernel';
import type { Pool } from '@perennial/postgres';
import type { Logger, Metrics } from '@perennial/telemetry';
import { createProjectionOffsets } from './offsets.js';
import { type InsertRecords, PartitionWriter, type PartitionWriterDeps, RETRY_BACKOFF } from './partition-writer.js';

export interface ProjectionOptions {
  readonly log: Log;
  readonly pool: Pool;
  /** Where the offsets are kept; the inserts go where `insert` says. */
  readonly schema: string;
  readonly groupId: string;
  readonly topic: string;
  /** Writes a batch of one partition, idempotently, with the given client: its transaction keeps the offset too. */
  readonly insert: InsertRecords;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly limits?: Partial<ProjectionLimits>;
  /** Default: the system clock. Pauses, retries and intervals use it. */
  readonly clock?: Clock;
  readonly random?: () => number;
}

interface ProjectionLimits {
  readonly sessionTimeoutMs: number;
  readonly fetchBytesPerPartitionMax: number;
  /** A projection is not urgent: a fetch that waits makes larger batches. */
  readonly fetchWaitMaxMs: number;
  readonly lagIntervalMs: number;
  /**
   * Pause after each round of transactions, so that the next finds more records: a short delay of a ledger does no
   * harm.
   */
  readonly restMs: number;
  /** How often group offsets, a hint for lag tools, are committed. */
  readonly groupCommitIntervalMs: number;
}

const PROJECTION_LIMITS: ProjectionLimits = {
  sessionTimeoutMs: 10_000,
  fetchBytesPerPartitionMax: 512 * 1024,
  fetchWaitMaxMs: 250,
  lagIntervalMs: 2_000,
  restMs: 200,
  groupCommitIntervalMs: 1_000,
};

export interface Projection {
  /**
   * Records in the topic that this process's partitions have not written yet, as last measured. May be passed on
   * unbound.
   */
  readonly lag: () => number;
  /** Which partitions stand still, since when and why; empty when none does. May be passed on unbound. */
  readonly problems: () => string[];
  /** Finishes the transactions in flight and leaves the group. */
  stop(): Promise<void>;
}

/**
 * Copies a topic into PostgreSQL, each record's effect once: the offset is kept in the transaction of the inserts. When
 * PostgreSQL is unavailable, only the projection stops, and it retries for ever.
 */
export async function startProjection(options: ProjectionOptions): Promise<Projection> {
  const projection = new TopicProjection(options);
  await projection.start();
  return projection;
}

class TopicProjection implements Projection {
  readonly #options: ProjectionOptions;
  readonly #limits: ProjectionLimits;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #meters: ReturnType<typeof createMeters>;
  readonly #writerDeps: PartitionWriterDeps;
  readonly #writers = new Map<number, PartitionWriter>();
  readonly #moved = new Map<number, number>();
  readonly #stopping = new AbortController();
  #consumer: LogConsumer | undefined;
  #intervals: readonly Interval[] = [];
  #lag = 0;
  readonly lag = (): number => this.#lag;
  readonly #health: ConsumerHealth;
  readonly problems = (): string[] => this.#health.problems();

  constructor(options: ProjectionOptions) {
    const { groupId, topic, clock = systemClock } = options;
    this.#options = options;
    this.#limits = { ...PROJECTION_LIMITS, ...options.limits };
    this.#clock = clock;
    this.#logger = options.logger.child({ projection: groupId, topic });
    this.#meters = createMeters(options.metrics);
    this.#health = new ConsumerHealth({
      consumer: groupId,
      topic,
      backoff: RETRY_BACKOFF,
      clock,
      random: options.random ?? Math.random,
      metrics: options.metrics,
    });
    this.#writerDeps = this.#createWriterDeps();
  }

  async start(): Promise<void> {
    const { log, groupId, topic } = this.#options;
    this.#consumer = await log.startConsumer(
      { groupId, topic, fromBeginning: true, ...this.#limits },
      {
        onAssigned: (partitions) => {
          this.#health.assigned(partitions);
          for (const partition of partitions) this.#assign(partition);
        },
        onRevoked: (partitions) => {
          this.#health.revoked(partitions);
          for (const partition of partitions) {
            this.#writers.get(partition)?.stop();
            this.#writers.delete(partition);
          }
        },
        onRecords: (partition, records) => this.#take(partition, records),
        onPassed: (partition) => this.#moved.set(partition, this.#writers.get(partition)?.next ?? 0),
        onError: (error) => {
          this.#health.consumerFailed(error);
          this.#logger.warn({ reason: error.message }, 'projection consumer is in trouble');
        },
      },
    );
    const { lagIntervalMs, groupCommitIntervalMs } = this.#limits;
    const clock = this.#clock;
    const onError = (error: unknown) =>
      this.#logger.debug({ reason: toMessage(error) }, 'projection could not measure or commit');
    this.#intervals = [
      every({ intervalMs: lagIntervalMs, clock, onError }, () => this.#measureLag()),
      every({ intervalMs: groupCommitIntervalMs, clock, onError }, () => this.#commitGroup()),
    ];
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#intervals.map((interval) => interval.stop()));
    await this.#commitGroup();
    await this.#consumer?.stop();
  }

  #createWriterDeps(): PartitionWriterDeps {
    const { pool, schema, groupId, topic, insert } = this.#options;
    return {
      pool,
      clock: this.#clock,
      offsets: createProjectionOffsets(pool, { schema, groupId, topic }),
      insert,
      onFailed: (partition, error) => {
        const waitMs = this.#health.failed(partition, error);
        this.#meters.retries.inc({ topic });
        this.#logger.warn({ partition, waitMs, reason: toMessage(error) }, 'projection waits for postgresql');
        return waitMs;
      },
      onSkipped: ({ partition, offset }, error) => {
        this.#meters.skipped.inc({ topic });
        this.#logger.error({ partition, offset, error }, 'projection cannot write a record');
      },
      onWritten: (partition, records, next) => {
        this.#meters.written.inc({ topic }, records);
        this.#moved.set(partition, next);
        this.#health.advanced(partition);
      },
    };
  }

  #assign(partition: number): void {
    const writer = new PartitionWriter(this.#writerDeps, partition);
    this.#writers.set(partition, writer);
    writer.start().then(
      // The offset in PostgreSQL is authoritative; without one the projection starts at the log's beginning.
      (next) => {
        if (this.#writers.get(partition) === writer && next !== undefined) this.#consumer?.seek(partition, next);
      },
      (error: unknown) => this.#logger.debug({ partition, reason: toMessage(error) }, 'projection did not start'),
    );
  }

  async #take(partition: number, records: readonly LogRecord[]): Promise<void> {
    const { log, topic } = this.#options;
    const writer = this.#writers.get(partition);
    const readLow = async () => (await log.offsets(topic)).get(partition)?.low ?? 0;
    const missed = await writer?.findMissed(records, readLow);
    if (missed !== undefined) return this.#consumer?.seek(partition, missed);
    await writer?.write(records);
    await this.#clock.wait(this.#limits.restMs, this.#stopping.signal);
  }

  async #measureLag(): Promise<void> {
    const { log, topic } = this.#options;
    try {
      const offsets = await log.offsets(topic);
      const unread = [...this.#writers].map(
        ([partition, { next }]) =>
          [partition, toUnread(offsets.get(partition) ?? NO_RECORDS, this.#beyond(partition, next))] as const,
      );
      for (const [partition, { from, to }] of unread) this.#health.observed(partition, { next: from, end: to });
      this.#lag = sumLag(new Map(unread));
      this.#meters.lag.set({ topic }, this.#lag);
      this.#health.heldBack(await log.heldBack(topic));
    } catch (error) {
      this.#logger.debug({ reason: toMessage(error) }, 'lag is unknown');
    }
  }

  /** Never throws; only lag tools use these offsets. */
  async #commitGroup(): Promise<void> {
    if (this.#moved.size === 0) return;
    const offsets = new Map([...this.#moved].map(([partition, next]) => [partition, this.#beyond(partition, next)]));
    this.#moved.clear();
    await this.#consumer?.commit(offsets);
  }

  #beyond<Next extends number | undefined>(partition: number, next: Next): number | Next {
    return next === undefined ? next : (this.#consumer?.beyond(partition, next) ?? next);
  }
}

function createMeters(metrics: Metrics) {
  return {
    written: metrics.counter('projection_records_written_total', 'Records written to PostgreSQL.', ['topic']),
    skipped: metrics.counter('projection_records_skipped_total', 'Records that PostgreSQL rejects for what they are.', [
      'topic',
    ]),
    retries: metrics.counter('projection_retries_total', 'Transactions tried again.', ['topic']),
    lag: metrics.gauge(
      'projection_lag_records',
      'Records in the topic not yet in PostgreSQL, of the partitions owned here.',
      ['topic'],
    ),
  };
}
