export { ConsumerHealth, type Progress } from './consumer-health.js';
export { type GroupOffset, readGroupMembers, setGroupOffset } from './group-admin.js';
export { NO_RECORDS, readUnread, sumLag, toLag, toUnread, type Unread } from './group-lag.js';
export { GroupMembership } from './group-membership.js';
export type { KafkaSecurity } from './kafka-security.js';
export type { KafkaConnection } from './kafkajs-client.js';
export { createKafkaLog } from './kafkajs-log.js';
export type { ProducerLimits } from './kafkajs-producer.js';
export { PRODUCER_LIMITS } from './kafkajs-producer.js';
export type {
  ConsumerOptions,
  Log,
  LogConsumer,
  LogConsumerHandlers,
  LogProducer,
  LogRecord,
  OutgoingRecord,
  PartitionOffsets,
  Unreadable,
} from './log.js';
export { PassedOffsets } from './passed-offsets.js';
export { type ReadTopicOptions, readTopic } from './read-topic.js';
export { RECORD_LIMITS } from './record-limits.js';
export { sizeOfRecord } from './send-queue.js';
export {
  createTopics,
  deleteGroups,
  deleteTopics,
  type TopicSpec,
} from './topic-admin.js';
