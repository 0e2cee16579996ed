export { MemoryPartitionStore } from './memory-store.js';
export * from './simulation/index.js';
export { createSumming, toSeen } from './test-kit.js';
