import { type NoticeType, type TopicName, toConsumerGroup, toTopic } from '@perennial/contracts';
import type { IdentityRules } from '@perennial/identity';
import {
  ConsumerHealth,
  type Log,
  type LogProducer,
  type LogRecord,
  type OutgoingRecord,
  type Progress,
} from '@perennial/kafka';
import type { Clock } from '@perennial/kernel';
import type { Metrics } from '@perennial/telemetry';
import type { Arrival, NormalisedEvent } from '../domain/event-shape.js';
import { fromReceivedRecord, nameAttribute, type ReceivedCall } from '../domain/from-received-record.js';
import { normalise } from '../domain/normalise.js';
import type { JsonObject } from '../domain/parse-properties.js';
import type { ClockMode } from '../domain/parse-timestamp.js';
import type { PlaceholderIds } from '../domain/placeholder-ids.js';
import { Rejection } from '../domain/rejection.js';
import type { FindPlan } from '../plan-directory.js';
import { type RecordContext, toAcceptedRecord, toRejectedRecord } from '../records.js';
import type { IngestEvents } from '../telemetry.js';
import { Committer } from './committer.js';

const KAFKA_SOURCE_LIMITS = {
  sessionTimeoutMs: 6_000,
  fetchBytesPerPartitionMax: 1024 * 1024,
  fetchWaitMaxMs: 100,
  retryInitialMs: 50,
  retryMaxMs: 5_000,
} as const;

/** Source of events received over Kafka: the broker's ACL decides who may write, not a write key. */
export const KAFKA_SOURCE_ID = 'kafka';

/** A topic that clients write, the group that takes it in, and what its records are where they do not say it. */
export interface KafkaInput {
  readonly group: 'ingest-received' | 'ingest-outcomes';
  readonly topic: Extract<TopicName, 'eventReceived' | 'actionOutcome'>;
  readonly callType: NoticeType | undefined;
}

export const RECEIVED: KafkaInput = { group: 'ingest-received', topic: 'eventReceived', callType: undefined };
export const OUTCOMES: KafkaInput = { group: 'ingest-outcomes', topic: 'actionOutcome', callType: 'outcome' };

/** Consumer group of ingest; its committed offsets show how far events are ingested. */
export function toReceivedGroup(namespace: string): string {
  return toConsumerGroup(namespace, RECEIVED.group);
}

export interface KafkaSource {
  /** Partitions of its topic that this instance owns; of `event.received` it writes the ticks of the same of `event.accepted`. */
  owned(): ReadonlySet<number>;
  /** Which partitions stand still, since when and why; empty when none does. */
  problems(): string[];
  /** How far the group has committed each partition, as measured at intervals. */
  observe(partition: number, progress: Progress): void;
  /** Records behind open transactions, by partition of the topic, as measured at intervals. */
  heldBack(held: ReadonlyMap<number, number>): void;
  stop(): Promise<void>;
}

export interface KafkaSourceOptions {
  readonly input: KafkaInput;
  readonly log: Log;
  readonly producer: LogProducer;
  readonly namespace: string;
  readonly clockMode: ClockMode;
  readonly placeholders: () => PlaceholderIds;
  readonly identity: () => IdentityRules;
  readonly plans: FindPlan;
  readonly clock: Clock;
  readonly records: RecordContext;
  readonly events: IngestEvents;
  readonly metrics: Metrics;
  readonly random?: () => number;
}

/**
 * Ingests a topic: every record becomes one record of `event.accepted` or `event.rejected`, and the offset is
 * committed after the acknowledgement. A crash in between repeats the same events under the same messageIds.
 */
export async function startKafkaSource(options: KafkaSourceOptions): Promise<KafkaSource> {
  const { input, log, namespace, events } = options;
  const owned = new Set<number>();
  const stopping = new AbortController();
  const topic = toTopic(namespace, input.topic);
  const health = createHealth(topic, options);
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
    if (!(await sendForEver(options, { partition, outgoing, health, signal: stopping.signal }))) return;
    events.published('kafka', { records: outgoing.length, ms: options.clock.steadyMs() - startedAtMs });
    const last = records.at(-1);
    if (last !== undefined) committer.note(partition, last.offset + 1);
  }

  const { sessionTimeoutMs, fetchBytesPerPartitionMax, fetchWaitMaxMs } = KAFKA_SOURCE_LIMITS;
  const fetching = { fromBeginning: true, sessionTimeoutMs, fetchBytesPerPartitionMax, fetchWaitMaxMs };
  const consumer = await log.startConsumer(
    { groupId: toConsumerGroup(namespace, input.group), topic, ...fetching },
    {
      onAssigned(partitions) {
        health.assigned(partitions);
        for (const partition of partitions) owned.add(partition);
        events.ownershipChanged(input.topic, owned.size);
      },
      onRevoked(partitions) {
        health.revoked(partitions);
        for (const partition of partitions) owned.delete(partition);
        events.ownershipChanged(input.topic, owned.size);
      },
      onRecords: handle,
      // Else a partition that ends in control records would seem unread for ever.
      onPassed: (partition, next) => committer.note(partition, next),
      onError(error) {
        health.consumerFailed(error);
        events.consumerFailed(input.topic, error);
      },
    },
  );
  committer.attach(consumer);

  return {
    owned: () => owned,
    problems: () => health.problems(),
    observe: (partition, progress) => health.observed(partition, progress),
    heldBack: (held) => health.heldBack(held),
    async stop() {
      stopping.abort();
      // Before leaving the group: afterwards commits are impossible.
      await Promise.allSettled(inHand);
      await committer.flush();
      await consumer.stop();
    },
  };
}

function createHealth(
  topic: string,
  { input, clock, metrics, random = Math.random }: KafkaSourceOptions,
): ConsumerHealth {
  const { retryInitialMs, retryMaxMs } = KAFKA_SOURCE_LIMITS;
  const backoff = { initialMs: retryInitialMs, maxMs: retryMaxMs };
  return new ConsumerHealth({ consumer: input.group, topic, backoff, clock, random, metrics });
}

/** False when a stop ended the attempts. */
async function sendForEver(
  { producer, clock, events }: KafkaSourceOptions,
  {
    partition,
    outgoing,
    health,
    signal,
  }: { partition: number; outgoing: readonly OutgoingRecord[]; health: ConsumerHealth; signal: AbortSignal },
): Promise<boolean> {
  while (!signal.aborted) {
    try {
      await producer.send(outgoing);
      health.advanced(partition);
      return true;
    } catch (error) {
      events.publishRetried(error);
      await clock.wait(health.failed(partition, error), signal);
    }
  }
  return false;
}

function toOutgoing(
  record: LogRecord,
  { input, clockMode, clock, placeholders, identity, plans, records, events }: KafkaSourceOptions,
): OutgoingRecord {
  const nowMs = clock.now();
  // The broker's append time is the same on every read; a client's own (CreateTime topics) must not be in the future.
  const receivedAtMs = clockMode === 'wall' ? Math.min(record.timestampMs, nowMs) : nowMs;
  const arrival = {
    receivedAtMs,
    clockMode,
    placeholders: placeholders(),
    identity: identity(),
    plan: plans(KAFKA_SOURCE_ID),
  };
  const { event, outgoing } = receiveRecord(record, input, { arrival, context: records });
  events.received('kafka', event);
  events.planned(
    { transport: 'kafka', sourceId: KAFKA_SOURCE_ID },
    event instanceof Rejection
      ? { accepted: [], rejected: event.violations, withheld: 0, leftOut: [] }
      : { accepted: event.violations, rejected: [], withheld: event.withheld, leftOut: event.said.leftOut },
  );
  if (!(event instanceof Rejection)) {
    events.ignored({ transport: 'kafka', sourceId: KAFKA_SOURCE_ID }, event.ignored);
  }
  return outgoing;
}

/** The event in a record, or why there is none, and what is written of it. Pure. */
export function receiveRecord(
  record: Pick<LogRecord, 'topic' | 'partition' | 'offset' | 'value' | 'headers' | 'unreadable'>,
  input: Pick<KafkaInput, 'callType'>,
  given: {
    readonly arrival: Omit<Arrival, 'callType' | 'bytesMax' | 'createMessageId'>;
    readonly context: RecordContext;
  },
): { readonly event: NormalisedEvent | Rejection; readonly outgoing: OutgoingRecord } {
  const position = `${record.topic}/${record.partition}:${record.offset}`;
  const call = fromReceivedRecord(record);
  const arrival = {
    ...given.arrival,
    callType: input.callType,
    bytesMax: record.value?.length,
    createMessageId: () => `kafka:${position}`,
  };
  const normalised = call instanceof Rejection ? call : normalise(toBody(call, input), arrival);
  const isRejected = normalised instanceof Rejection && !(call instanceof Rejection);
  const event = isRejected ? nameAttribute(normalised, call.attributes) : normalised;
  if (!(event instanceof Rejection)) {
    return { event, outgoing: toAcceptedRecord(event, KAFKA_SOURCE_ID, given.context) };
  }
  const original =
    call instanceof Rejection ? { bytes: record.value ?? Buffer.alloc(0) } : { json: toKept(call, input) };
  const { receivedAtMs } = arrival;
  const rejected = { rejection: event, event: original, position, sourceId: null, receivedAtMs, id: position };
  return { event, outgoing: toRejectedRecord(rejected, given.context) };
}

/** The type of a CloudEvent that is its writer's own says nothing where the topic says what the record is. */
function toBody({ body, attributes }: ReceivedCall, { callType }: Pick<KafkaInput, 'callType'>): JsonObject {
  return callType === undefined || !attributes.has('type') ? body : { ...body, type: callType };
}

/** With its type, so that it can be redriven to `event.received`. */
function toKept(call: ReceivedCall, input: Pick<KafkaInput, 'callType'>): JsonObject {
  return input.callType === undefined ? call.body : { type: input.callType, ...toBody(call, input) };
}
