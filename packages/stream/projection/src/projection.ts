import type { Log, LogRecord } from '@perennial/kafka';
import { type Clock, systemClock, toMessage } from '@perennial/kernel';
import type { Pool, PoolClient } from '@perennial/postgres';
import type { Logger, Metrics } from '@perennial/telemetry';
import { createProjectionOffsets } from './offsets.js';
import { PartitionWriter } from './partition-writer.js';

export interface ProjectionOptions {
  readonly log: Log;
  readonly pool: Pool;
  /** Where the offsets are kept; the inserts go where `insert` says. */
  readonly schema: string;
  readonly groupId: string;
  readonly topic: string;
  /** Writes a batch of one partition, idempotently, with the given client: its transaction keeps the offset too. */
  readonly insert: (client: PoolClient, records: LogRecord[]) => Promise<void>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly limits?: Partial<ProjectionLimits>;
  /** Default: the machine's. Rests, retries and intervals go by it. */
  readonly clock?: Clock;
}

interface ProjectionLimits {
  readonly sessionTimeoutMs: number;
  readonly fetchBytesPerPartitionMax: number;
  /** A projection is in no hurry: a fetch that waits makes bigger batches. */
  readonly fetchWaitMaxMs: number;
  readonly lagIntervalMs: number;
  /** Rest after each round of transactions, so that the next finds more: a ledger a moment late costs nobody anything. */
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
  /** Records in the topic that this process's partitions have not written yet, as last measured. */
  lag(): number;
  /** Finishes the transactions under way and leaves the group. */
  stop(): Promise<void>;
}

/**
 * Copies a topic into PostgreSQL, each record's effect once: the offset is kept in the transaction of the inserts.
 * PostgreSQL away stops nothing but the projection, which tries for ever.
 */
export async function startProjection(options: ProjectionOptions): Promise<Projection> {
  const { log, pool, schema, groupId, topic, insert, metrics, clock = systemClock } = options;
  const limits = { ...PROJECTION_LIMITS, ...options.limits };
  const logger = options.logger.child({ projection: groupId, topic });
  const meters = createMeters(metrics);
  const writers = new Map<number, PartitionWriter>();
  const moved = new Map<number, number>();
  const stopping = new AbortController();
  let lag = 0;

  const deps = {
    pool,
    clock,
    offsets: createProjectionOffsets(pool, { schema, groupId, topic }),
    insert,
    onRetry(partition: number, error: unknown, waitMs: number) {
      meters.retries.inc({ topic });
      logger.warn({ partition, waitMs, reason: toMessage(error) }, 'projection waits for postgresql');
    },
    onSkipped(record: LogRecord, error: unknown) {
      meters.skipped.inc({ topic });
      logger.error({ partition: record.partition, offset: record.offset, error }, 'projection cannot write a record');
    },
    onWritten(partition: number, records: number, next: number) {
      meters.written.inc({ topic }, records);
      moved.set(partition, next);
    },
  };

  const consumer = await log.startConsumer(
    { groupId, topic, fromBeginning: true, ...limits },
    {
      onAssigned(partitions) {
        for (const partition of partitions) {
          const writer = new PartitionWriter(deps, partition);
          writers.set(partition, writer);
          writer.start().then(
            // What PostgreSQL says is the truth; without it the log's beginning is.
            (next) => void (writers.get(partition) === writer && next !== undefined && consumer.seek(partition, next)),
            (error: unknown) => logger.debug({ partition, reason: toMessage(error) }, 'projection did not start'),
          );
        }
      },
      onRevoked(partitions) {
        for (const partition of partitions) {
          writers.get(partition)?.stop();
          writers.delete(partition);
        }
      },
      async onRecords(partition, records) {
        const writer = writers.get(partition);
        const readLow = async () => (await log.offsets(topic)).get(partition)?.low ?? 0;
        const missed = await writer?.findMissed(records, readLow);
        if (missed !== undefined) return consumer.seek(partition, missed);
        await writer?.write(records);
        await clock.wait(limits.restMs, stopping.signal);
      },
      onError: (error) => logger.warn({ reason: error.message }, 'projection consumer is in trouble'),
    },
  );

  async function measureLag(): Promise<void> {
    try {
      const offsets = await log.offsets(topic);
      let behind = 0;
      for (const [partition, writer] of writers) {
        const { low, high } = offsets.get(partition) ?? { low: 0, high: 0 };
        behind += Math.max(0, high - (writer.next ?? low));
      }
      lag = behind;
      meters.lag.set({ topic }, lag);
    } catch (error) {
      logger.debug({ reason: toMessage(error) }, 'lag is unknown');
    }
  }
  /** It never throws, and tells nothing but lag tools. */
  async function commitGroup(): Promise<void> {
    if (moved.size === 0) return;
    const offsets = new Map(moved);
    moved.clear();
    await consumer.commit(offsets);
  }
  async function repeat(intervalMs: number, work: () => Promise<void>): Promise<void> {
    for (;;) {
      await clock.wait(intervalMs, stopping.signal);
      if (stopping.signal.aborted) return;
      await work();
    }
  }
  const loops = [repeat(limits.lagIntervalMs, measureLag), repeat(limits.groupCommitIntervalMs, commitGroup)];

  return {
    lag: () => lag,
    async stop() {
      stopping.abort();
      await Promise.all(loops);
      await commitGroup();
      await consumer.stop();
    },
  };
}

function createMeters(metrics: Metrics) {
  return {
    written: metrics.counter('projection_records_written_total', 'Records written to PostgreSQL.', ['topic']),
    skipped: metrics.counter('projection_records_skipped_total', 'Records that PostgreSQL refuses for what they are.', [
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
