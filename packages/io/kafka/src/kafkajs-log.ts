import { AppError } from '@perennial/kernel';
import type { Admin } from 'kafkajs';
import { createAdminSession } from './admin-session.js';
import type { KafkaConnection } from './kafkajs-client.js';
import { createKafkajsClient, toErrorType } from './kafkajs-client.js';
import { KafkajsConsumer } from './kafkajs-consumer.js';
import type { ProducerLimits } from './kafkajs-producer.js';
import { KafkajsProducer, PRODUCER_LIMITS } from './kafkajs-producer.js';
import type { Log, LogConsumer, LogProducer, PartitionOffsets } from './log.js';
import { logSeam } from './log-seam.js';
import { UNCOMMITTED_END } from './uncommitted-offsets.js';

export interface KafkaLogOptions extends KafkaConnection {
  readonly producerLimits?: Partial<ProducerLimits>;
}

/** Timeout of one admin request, kafkajs's own retries included. */
const ANSWER_MS = 15_000;

/** The log on a real broker. Connects at first use; an unavailable broker does not make the start fail. */
export function createKafkaLog(options: KafkaLogOptions): Log {
  const { logger, groupInstanceId } = options;
  const kafka = createKafkajsClient(options);
  const producers = new Set<LogProducer>();
  const consumers = new Set<LogConsumer>();
  const admin = createAdminSession(
    async () => {
      const open = kafka.admin();
      await open.connect();
      return open;
    },
    { answerMs: ANSWER_MS },
  );

  const log: Log = {
    async createProducer({ clientId } = {}) {
      const client = clientId === undefined ? kafka : createKafkajsClient({ ...options, clientId });
      const producer = new KafkajsProducer(client, logger, { ...PRODUCER_LIMITS, ...options.producerLimits });
      producer.warmUp();
      producers.add(producer);
      return producer;
    },
    async startConsumer(consumerOptions, handlers) {
      // A separate client: kafkajs shares a cache of committed offsets between the consumers of one client.
      const client = createKafkajsClient(options);
      const consumer = new KafkajsConsumer(client, { ...consumerOptions, groupInstanceId, logger }, handlers);
      consumer.start();
      consumers.add(consumer);
      return consumer;
    },
    offsets: (topic) =>
      admin.ask(`offsets of ${topic}`, async (open) => {
        await checkTopic(open, topic);
        const offsets = new Map<number, PartitionOffsets>();
        for (const { partition, low, high } of await open.fetchTopicOffsets(topic)) {
          offsets.set(partition, { low: Number(low), high: Number(high) });
        }
        return offsets;
      }),
    heldBack: (topic) =>
      admin.ask(`open transactions of ${topic}`, async (open) => {
        await checkTopic(open, topic);
        // The end for readers first: a transaction that ends meanwhile is then counted, and not a negative number.
        const ends = new Map((await open.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, high]));
        const held = new Map<number, number>();
        for (const { partition, offset } of await open.fetchTopicOffsetsByTimestamp(topic, UNCOMMITTED_END)) {
          const count = Number(offset) - Number(ends.get(partition));
          if (count > 0) held.set(partition, count);
        }
        return held;
      }),
    groupOffsets: (groupId, topic) =>
      admin.ask(`offsets of group ${groupId}`, async (open) => {
        const offsets = new Map<number, number>();
        for (const { partition, offset } of await fetchGroupOffsets(open, groupId, topic)) {
          if (Number(offset) >= 0) offsets.set(partition, Number(offset));
        }
        return offsets;
      }),
    async close() {
      await Promise.all([...consumers].map((consumer) => consumer.stop()));
      await Promise.all([...producers].map((producer) => producer.close()));
      await admin.close();
    },
  };
  return logSeam.pass()?.(log) ?? log;
}

/** Requesting the offsets of an unknown topic would be retried for seconds; listing the topics is one request. */
async function checkTopic(admin: Admin, topic: string): Promise<void> {
  if (!(await admin.listTopics()).includes(topic)) throw new AppError('not_found', `there is no topic ${topic}`);
}

async function fetchGroupOffsets(
  admin: Admin,
  groupId: string,
  topic: string,
): Promise<Array<{ partition: number; offset: string }>> {
  try {
    const topics = await admin.fetchOffsets({ groupId, topics: [topic] });
    return topics.flatMap(({ partitions }) => partitions);
  } catch (error) {
    if (toErrorType(error) === 'UNKNOWN_TOPIC_OR_PARTITION') return [];
    throw error;
  }
}
