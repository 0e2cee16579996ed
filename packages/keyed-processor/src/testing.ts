export { MemoryPartitionStore } from './memory-store.js';
export { createSumming, toSeen } from './test-kit.js';
