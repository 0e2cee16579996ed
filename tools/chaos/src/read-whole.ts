import { type Log, type ReadTopicOptions, readTopic } from '@perennial/kafka';
import { createRandomToken } from '@perennial/kernel';

/** Reads a topic from its beginning to its present end, in a consumer group of its own. */
export function readWhole(log: Log, topic: string, onRecord: ReadTopicOptions['onRecord']): Promise<void> {
  return readTopic(log, { topic, groupId: `perennial.chaos.${createRandomToken()}`, onRecord });
}
