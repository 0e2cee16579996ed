export { type DeadLetter, parseDeadLetter, type RecordContent, toRedrivenRecord } from './dead-letter.js';
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
export { openSnapshotSettings, type SnapshotSettings } from './open-snapshots.js';
export { type Processor, type ProcessorOptions, startProcessor } from './processor.js';
export { READER_FIELDS, toReadableLogTime } from './reader.js';
export {
  createRebuildStage,
  type PartitionCondition,
  type PartitionRebuild,
  type RebuildOptions,
  type RebuildStage,
} from './rebuild.js';
export { type ChainLink, findPublishedBound } from './rebuild-bound.js';
export { createRedisPartitionStore } from './redis-store.js';
export { DEFAULT_SNAPSHOT_LIMITS, type SnapshotLimits } from './snapshot-limits.js';
export type {
  CommitRequest,
  Fence,
  LoadReply,
  LoadRequest,
  OpenPartitionStore,
  PartitionMeta,
  PartitionStore,
  ProfileReading,
  ReadGuard,
  StoredOutbox,
  StoredProfile,
  StoredTimer,
} from './store.js';
