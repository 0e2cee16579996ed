import { Kafka, logLevel } from 'kafkajs';

/** Deletes the records below these offsets, by partition, as retention does after days. */
export async function trimTopic(
  { brokers, clientId }: { readonly brokers: readonly string[]; readonly clientId: string },
  topic: string,
  below: ReadonlyMap<number, number>,
): Promise<void> {
  const admin = new Kafka({ brokers: [...brokers], clientId, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    // This makes kafkajs load the topic's metadata; deleting records does not.
    await admin.fetchTopicOffsets(topic);
    const partitions = [...below].map(([partition, offset]) => ({ partition, offset: String(offset) }));
    await admin.deleteTopicRecords({ topic, partitions });
  } finally {
    await admin.disconnect();
  }
}
