export { type DeadLetter, parseDeadLetter, type RecordContent, toRedrivenRecord } from './batch/dead-letter.js';
export type {
  Cause,
  Decoded,
  Output,
  ProcessorDefinition,
  Refusal,
  StateCodec,
  StepContext,
  StepItem,
  StepResult,
} from './definition.js';
export { DEFAULT_LIMITS, type ProcessorLimits } from './limits.js';
export { DEFAULT_LINGER, type LingerLimits } from './partition/linger.js';
export { type Processor, type ProcessorOptions, startProcessor } from './processor.js';
export {
  createRebuildStage,
  type PartitionCondition,
  type PartitionRebuild,
  type RebuildOptions,
  type RebuildStage,
} from './rebuild/rebuild.js';
export { type ChainLink, findPublishedBound } from './rebuild/rebuild-bound.js';
export { openSnapshotSettings, type SnapshotSettings } from './snapshot/open-snapshots.js';
export { DEFAULT_SNAPSHOT_LIMITS, type SnapshotLimits } from './snapshot/snapshot-limits.js';
export { type PartitionKeys, toPartitionKeys } from './store/keys.js';
export { READER_FIELDS, toReadableLogTime } from './store/reader.js';
export { createRedisPartitionStore } from './store/redis-store.js';
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
} from './store/store.js';
