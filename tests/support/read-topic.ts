import { type Log, type LogRecord, readTopic as readWholeTopic } from '@perennial/kafka';
import { createRandomToken } from '@perennial/kernel';

/** Everything in a topic now, partition by partition in order of offset. */
export async function readTopic(log: Log, topic: string): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  const groupId = `test-reader-${createRandomToken()}`;
  await readWholeTopic(log, { topic, groupId, onRecord: (record) => records.push(record) });
  return records.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}
