export { MemoryPartitionStore } from './memory-store.js';
export { describePartitionStore } from './store-contract.js';
export { createSumming, toSeen } from './test-kit.js';
