import {
  type Log,
  type LogProducer,
  type LogRecord,
  type OutgoingRecord,
  type PartitionOffsets,
  PRODUCER_LIMITS,
  sizeOfRecord,
} from '@perennial/kafka';
import { AppError, Mutex, must } from '@perennial/kernel';
import type { MemoryConsumer } from './memory-group.js';
import { MemoryGroup } from './memory-group.js';
import { MemoryTopic } from './memory-topic.js';

export interface MemoryLogOptions {
  /** Partition count of each topic that is created by its first use. */
  readonly partitions: number;
  /** Source of append times; default: the machine's clock. */
  readonly now?: () => number;
}

/** A planned failure: the next send writes its first `written` records, then throws. */
export interface SendFault {
  readonly written: number;
  readonly error?: Error;
}

/** The log in memory, with what tests inspect and break. A topic is created at its first use. */
export interface MemoryLog extends Log {
  createTopic(topic: string, partitions?: number): void;
  /** All records of one partition, or of the topic by partition when none is given, as written. */
  records(topic: string, partition?: number): readonly LogRecord[];
  /** Appends without a producer; also what cannot be read. */
  append(record: OutgoingRecord & Pick<LogRecord, 'unreadable'>): void;
  /** Appends an offset without a record for readers, as the end of a transaction has one. */
  appendControl(topic: string, partition: number): void;
  /** Makes the next send fail. Several faults are queued. */
  failNextSend(fault: SendFault): void;
  /** Every send waits until the returned function is called. */
  holdSends(): () => void;
  trim(topic: string, partition: number, low: number): void;
  rebalance(groupId: string, topic: string): Promise<void>;
  /** A member disappears as after `kill -9`: its handlers are not called, and the others get its partitions. */
  loseMember(groupId: string, topic: string, consumer: unknown): Promise<void>;
}

/** An in-memory log for unit tests; it passes the contract suite that the real one passes. */
export function createMemoryLog(options: MemoryLogOptions): MemoryLog {
  const now = options.now ?? Date.now;
  const topics = new Map<string, MemoryTopic>();
  const groups = new Map<string, MemoryGroup>();
  const consumers = new Set<MemoryConsumer>();
  const sends: Sends = { faults: [], held: Promise.resolve() };

  function topicOf(name: string, partitions = options.partitions): MemoryTopic {
    const topic = topics.get(name) ?? new MemoryTopic(name, partitions);
    topics.set(name, topic);
    return topic;
  }

  function groupOf(groupId: string, topic: string): MemoryGroup {
    const key = `${groupId}\n${topic}`;
    const group = groups.get(key) ?? new MemoryGroup(topicOf(topic));
    groups.set(key, group);
    return group;
  }

  const append = (record: OutgoingRecord) => topicOf(record.topic).append(record, now());

  return {
    createProducer: async () => createMemoryProducer(sends, append),
    async startConsumer(consumerOptions, handlers) {
      const consumer = groupOf(consumerOptions.groupId, consumerOptions.topic).join(consumerOptions, handlers);
      consumers.add(consumer);
      return consumer;
    },
    async offsets(name) {
      const topic = topics.get(name);
      if (topic === undefined) throw new AppError('not_found', `there is no topic ${name}`);
      const offsets = new Map<number, PartitionOffsets>();
      for (let partition = 0; partition < topic.partitions; partition++)
        offsets.set(partition, topic.offsets(partition));
      return offsets;
    },
    heldBack: async () => new Map(),
    groupOffsets: async (groupId, topic) => new Map(groupOf(groupId, topic).committed),
    async close() {
      await Promise.all([...consumers].map((consumer) => consumer.stop()));
    },
    createTopic: (name, partitions) => void topicOf(name, partitions),
    records(name, partition) {
      const topic = topicOf(name);
      if (partition !== undefined) return topic.records(partition);
      return Array.from({ length: topic.partitions }, (_, number) => topic.records(number)).flat();
    },
    append,
    appendControl: (topic, partition) => topicOf(topic).appendControl(partition),
    failNextSend: (fault) => void sends.faults.push(fault),
    holdSends() {
      let release: () => void = () => undefined;
      sends.held = new Promise((resolve) => {
        release = resolve;
      });
      return release;
    },
    trim: (topic, partition, low) => topicOf(topic).trim(partition, low),
    rebalance: (groupId, topic) => groupOf(groupId, topic).rebalance(),
    async loseMember(groupId, topic, consumer) {
      const member = must(
        [...consumers].find((known) => known === consumer),
        'a consumer of this log',
      );
      consumers.delete(member);
      await groupOf(groupId, topic).lose(member);
    },
  };
}

/** Planned faults and holds for the sends of all producers. */
interface Sends {
  readonly faults: SendFault[];
  held: Promise<void>;
}

function createMemoryProducer(sends: Sends, append: (record: OutgoingRecord) => void): LogProducer {
  const mutex = new Mutex();
  let closed = false;
  async function write(records: readonly OutgoingRecord[]): Promise<void> {
    await sends.held;
    await new Promise((resolve) => setImmediate(resolve));
    const fault = sends.faults.shift();
    for (const record of records.slice(0, fault?.written)) append(record);
    if (fault === undefined) return;
    throw fault.error ?? new AppError('dependency_unavailable', 'the broker is away', { retriable: true });
  }
  return {
    send(records) {
      if (closed) return Promise.reject(new AppError('dependency_unavailable', 'the producer is closed'));
      const oversized = records.find((record) => sizeOfRecord(record) > PRODUCER_LIMITS.requestBytesMax);
      if (oversized !== undefined)
        return Promise.reject(new AppError('limit_exceeded', `a record for ${oversized.topic} is too large`));
      return mutex.run(() => write(records));
    },
    async close() {
      closed = true;
      await mutex.idle();
    },
  };
}
