export type {
  Cause,
  Decoded,
  Output,
  ProcessorDefinition,
  StateCodec,
  StepContext,
  StepItem,
  StepResult,
} from './definition.js';
export { type PartitionKeys, toPartitionKeys } from './keys.js';
export { DEFAULT_LIMITS, type ProcessorLimits } from './limits.js';
export { DEFAULT_LINGER, type LingerLimits } from './linger.js';
export { type Processor, type ProcessorOptions, startProcessor } from './processor.js';
export { createRedisPartitionStore } from './redis-store.js';
export type {
  CommitRequest,
  Fence,
  LoadReply,
  LoadRequest,
  OpenPartitionStore,
  PartitionMeta,
  PartitionStore,
  StoredOutbox,
  StoredTimer,
} from './store.js';
