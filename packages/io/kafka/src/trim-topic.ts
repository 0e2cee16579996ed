import { createKafkajsClient, type KafkaConnection } from './kafkajs-client.js';

/** Removes the records below these offsets, by partition, as retention does after days. */
export async function trimTopic(
  connection: KafkaConnection,
  topic: string,
  below: ReadonlyMap<number, number>,
): Promise<void> {
  const admin = createKafkajsClient(connection).admin();
  await admin.connect();
  try {
    // It makes kafkajs load what it knows of the topic; deleting does not.
    await admin.fetchTopicOffsets(topic);
    const partitions = [...below].map(([partition, offset]) => ({ partition, offset: String(offset) }));
    await admin.deleteTopicRecords({ topic, partitions });
  } finally {
    await admin.disconnect();
  }
}
