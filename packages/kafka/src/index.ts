export { GroupMembership } from './group-membership.js';
export type { KafkaConnection } from './kafkajs-client.js';
export type { KafkaLogOptions } from './kafkajs-log.js';
export { createKafkaLog } from './kafkajs-log.js';
export type { ProducerLimits } from './kafkajs-producer.js';
export { PRODUCER_LIMITS } from './kafkajs-producer.js';
export * from './log.js';
export { sizeOfRecord } from './send-queue.js';
export * from './topic-admin.js';
