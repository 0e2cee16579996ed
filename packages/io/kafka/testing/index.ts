export type { LogContractHarness } from './log-contract.js';
export { describeLogContract } from './log-contract.js';
export type { MemoryLog, MemoryLogOptions, SendFault } from './memory-log.js';
export { createMemoryLog } from './memory-log.js';
export * from './odd-batches.js';
export { trimTopic } from './trim-topic.js';
