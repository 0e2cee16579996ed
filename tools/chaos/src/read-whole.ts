import { type Log, type ReadTopicOptions, readTopic } from '@perennial/kafka';
import { createRandomToken } from '@perennial/kernel';

/** A topic from its beginning to its present end, in a group that nobody else is in. */
export function readWhole(log: Log, topic: string, onRecord: ReadTopicOptions['onRecord']): Promise<void> {
  return readTopic(log, { topic, groupId: `perennial.chaos.${createRandomToken()}`, onRecord });
}
