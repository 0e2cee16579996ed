export { MemoryPartitionStore } from './memory-store.js';
export { createSumming, OUT, REFUSED, type Sum, type SumInput, summing } from './summing.js';
export { toSeen } from './to-seen.js';
