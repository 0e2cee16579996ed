import { toPartition, toTopic } from '@perennial/contracts';
import type { Log } from '@perennial/kafka';
import { must } from '@perennial/kernel';
import type { EventSink } from './event-sink.js';

/** Delivers to `event.received` as any Kafka client would: JSON in the Segment shape, keyed by the user. */
export async function createKafkaSink(log: Log, namespace: string): Promise<EventSink> {
  const topic = toTopic(namespace, 'eventReceived');
  const partitions = (await log.offsets(topic)).size;
  const producer = await log.createProducer({ clientId: 'perennial-backfill' });
  return {
    deliver: async (batch) => {
      const records = batch.map(({ userId, json }) => ({
        topic,
        partition: toPartition(userId, partitions),
        key: Buffer.from(userId),
        value: Buffer.from(json),
        headers: { 'content-type': 'application/json' },
      }));
      await producer.send(records);
      return { rejected: [] };
    },
    reached: async () => {
      const offsets = await log.offsets(topic);
      const entries = [...offsets.keys()].map((partition) => {
        const { high } = must(offsets.get(partition), `partition ${partition}`);
        return [String(partition), high] as const;
      });
      return Object.fromEntries(entries);
    },
    close: () => producer.close(),
  };
}
