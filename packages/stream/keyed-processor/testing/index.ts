export { MemoryPartitionStore } from './memory-store.js';
export { createSumming, OUT, REJECTED, type Sum, type SumInput, summing } from './summing.js';
export { toSeen } from './to-seen.js';
