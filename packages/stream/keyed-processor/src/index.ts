export { type DeadLetter, parseDeadLetter, type RecordContent, toRedrivenRecord } from './batch/dead-letter.js';
export { createLogReader, type LogReader, type LogReading } from './batch/log-reader.js';
export type {
  Cause,
  Decoded,
  Output,
  PositionSource,
  ProcessorDefinition,
  StateCodec,
  StepContext,
  StepItem,
  StepResult,
} from './definition.js';
export type { ProcessorLimits } from './limits.js';
export { type Processor, startProcessor } from './processor.js';
export {
  createRebuildStage,
  type PartitionRebuild,
  type RebuildStage,
} from './rebuild/rebuild.js';
export { findPublishedBound } from './rebuild/rebuild-bound.js';
export { openSnapshotSettings, type SnapshotSettings } from './snapshot/open-snapshots.js';
export type { SnapshotLimits } from './snapshot/snapshot-limits.js';
export { toPartitionKeys } from './store/keys.js';
export { createRedisPartitionStore } from './store/redis-store.js';
export { readStatePage, type StatePage } from './store/state-page.js';
export { createStateReader, type ReadStates, readNextOffset, readPartitions } from './store/state-reader.js';
export type {
  CommitRequest,
  Fence,
  LoadRequest,
  PartitionMeta,
  PartitionStore,
  ProfileReading,
  ReadGuard,
  StoredOutbox,
  StoredProfile,
} from './store/store.js';
