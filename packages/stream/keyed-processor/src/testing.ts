export { MemoryPartitionStore } from './store/memory-store.js';
export { createSumming, toSeen } from './test-kit.js';
