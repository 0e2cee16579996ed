import { type Log, type LogRecord, type ReadTopicOptions, readTopic } from '@perennial/kafka';
import { createRandomToken } from '@perennial/kernel';

/** Reads a topic from its beginning to its present end, in a consumer group of its own. */
export function readWhole(log: Log, topic: string, onRecord: ReadTopicOptions['onRecord']): Promise<void> {
  return readTopic(log, { topic, groupId: `perennial.chaos.${createRandomToken()}`, onRecord });
}

/** Reads a topic from its beginning to its present end, partition by partition in order. */
export async function readAll(log: Log, topic: string): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  await readWhole(log, topic, (record) => void records.push(record));
  return records.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}
