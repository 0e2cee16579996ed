import { toConsumerGroup, toTopic } from '@perennial/contracts';
import type { Log, LogProducer, LogRecord, OutgoingRecord } from '@perennial/kafka';
import { type Clock, retry } from '@perennial/kernel';
import { fromReceivedRecord } from '../domain/from-received-record.js';
import { normalise } from '../domain/normalise.js';
import type { ClockMode } from '../domain/parse-timestamp.js';
import type { PlaceholderIds } from '../domain/placeholder-ids.js';
import { Rejection } from '../domain/rejection.js';
import { type RecordContext, toAcceptedRecord, toRejectedRecord } from '../records.js';
import type { IngestEvents } from '../telemetry.js';
import { Committer } from './committer.js';

const KAFKA_DOOR_LIMITS = {
  sessionTimeoutMs: 6_000,
  fetchBytesPerPartitionMax: 1024 * 1024,
  fetchWaitMaxMs: 100,
  retryInitialMs: 50,
  retryMaxMs: 5_000,
} as const;

/** Source of events received over Kafka: the broker's ACL decides who may write, not a write key. */
const KAFKA_SOURCE_ID = 'kafka';

/** Consumer group of ingest; its committed offsets show how far events are ingested. */
export function toReceivedGroup(namespace: string): string {
  return toConsumerGroup(namespace, 'ingest-received');
}

export interface KafkaSource {
  /** Partitions of `event.received` that this instance owns: it writes the ticks of the same of `event.accepted`. */
  owned(): ReadonlySet<number>;
  stop(): Promise<void>;
}

export interface KafkaSourceOptions {
  readonly log: Log;
  readonly producer: LogProducer;
  readonly namespace: string;
  readonly clockMode: ClockMode;
  readonly placeholders: () => PlaceholderIds;
  readonly clock: Clock;
  readonly records: RecordContext;
  readonly events: IngestEvents;
}

/**
 * Ingests `event.received`: every record becomes one record of `event.accepted` or `event.rejected`, and the offset is
 * committed after the acknowledgement. A crash in between repeats the same events under the same messageIds.
 */
export async function startKafkaSource(options: KafkaSourceOptions): Promise<KafkaSource> {
  const { log, producer, namespace, events } = options;
  const owned = new Set<number>();
  const stopping = new AbortController();
  const committer = new Committer((error) => events.commitFailed(error));

  const inHand = new Set<Promise<void>>();

  async function handle(partition: number, records: readonly LogRecord[]): Promise<void> {
    const handling = takeIn(partition, records);
    inHand.add(handling);
    await handling.finally(() => inHand.delete(handling));
  }

  async function takeIn(partition: number, records: readonly LogRecord[]): Promise<void> {
    // Records after the beginning of a stop stay uncommitted for the next owner.
    if (stopping.signal.aborted) return;
    const outgoing = records.map((record) => toOutgoing(record, options));
    const startedAtMs = options.clock.steadyMs();
    try {
      await retry(() => producer.send(outgoing), {
        initialMs: KAFKA_DOOR_LIMITS.retryInitialMs,
        maxMs: KAFKA_DOOR_LIMITS.retryMaxMs,
        signal: stopping.signal,
        onRetry: ({ error }) => events.publishRetried(error),
      });
    } catch (error) {
      // Only a stop ends the retries.
      if (stopping.signal.aborted) return;
      throw error;
    }
    events.published('kafka', { records: outgoing.length, ms: options.clock.steadyMs() - startedAtMs });
    const last = records.at(-1);
    if (last !== undefined) committer.note(partition, last.offset + 1);
  }

  const { sessionTimeoutMs, fetchBytesPerPartitionMax, fetchWaitMaxMs } = KAFKA_DOOR_LIMITS;
  const fetching = { fromBeginning: true, sessionTimeoutMs, fetchBytesPerPartitionMax, fetchWaitMaxMs };
  const consumer = await log.startConsumer(
    { groupId: toReceivedGroup(namespace), topic: toTopic(namespace, 'eventReceived'), ...fetching },
    {
      onAssigned(partitions) {
        for (const partition of partitions) owned.add(partition);
        events.ownershipChanged(owned.size);
      },
      onRevoked(partitions) {
        for (const partition of partitions) owned.delete(partition);
        events.ownershipChanged(owned.size);
      },
      onRecords: handle,
      // Else a partition that ends in control records would seem unread for ever.
      onPassed: (partition, next) => committer.note(partition, next),
      onError: (error) => events.consumerFailed(error),
    },
  );
  committer.attach(consumer);

  return {
    owned: () => owned,
    async stop() {
      stopping.abort();
      // Before leaving the group: afterwards commits are impossible.
      await Promise.allSettled(inHand);
      await committer.flush();
      await consumer.stop();
    },
  };
}

function toOutgoing(
  record: LogRecord,
  { clockMode, clock, placeholders, records, events }: KafkaSourceOptions,
): OutgoingRecord {
  const position = `${record.topic}/${record.partition}:${record.offset}`;
  const nowMs = clock.now();
  // The broker's append time is the same on every read; a client's own (CreateTime topics) must not be in the future.
  const receivedAtMs = clockMode === 'wall' ? Math.min(record.timestampMs, nowMs) : nowMs;
  const raw = fromReceivedRecord(record);
  const event =
    raw instanceof Rejection
      ? raw
      : normalise(raw, {
          receivedAtMs,
          clockMode,
          bytesMax: record.value?.length,
          placeholders: placeholders(),
          createMessageId: () => `kafka:${position}`,
        });
  events.received('kafka', event);
  if (!(event instanceof Rejection)) {
    events.ignored({ transport: 'kafka', sourceId: KAFKA_SOURCE_ID }, event.ignored);
    return toAcceptedRecord(event, KAFKA_SOURCE_ID, records);
  }
  const original = raw instanceof Rejection ? { bytes: record.value ?? Buffer.alloc(0) } : { json: raw };
  return toRejectedRecord(
    { rejection: event, event: original, position, sourceId: null, receivedAtMs, id: position },
    records,
  );
}
