/** Every bound of snapshots and restores. */
export interface SnapshotLimits {
  /** From the beginning of one snapshot of a partition to that of the next. */
  readonly intervalMs: number;
  /** Increments on top of a full snapshot; then comes a full one. */
  readonly incrementsMax: number;
  /** Full snapshots that are kept, each with its increments. */
  readonly chainsKept: number;
  /** What lies there without a manifest may be under way for so long; then it is removed. */
  readonly unfinishedAgeMsMax: number;
  /** Keys noted as changed since the last snapshot (about 100 bytes each); more make the next one full. */
  readonly changedKeysMax: number;
  /** Profiles that one read takes of the store at most, and bytes that it aims at. */
  readonly chunkProfilesMax: number;
  readonly chunkBytes: number;
  /** Part of the time that reading, compressing and writing may take; the rest is rest. All partitions of a process take turns. */
  readonly timeShareMax: number;
  /** Tries to find the partition between two records with nothing unpublished, and how long each may hold it up. */
  readonly fixedPointAttemptsMax: number;
  readonly fixedPointWaitMs: number;
  /** Tries of one operation of the blob store; then the snapshot is given up, or the restore begins again. */
  readonly blobAttemptsMax: number;
  readonly retryInitialMs: number;
  readonly retryMaxMs: number;
  /** Chunks that a restore fetches ahead, of one partition. */
  readonly chunksAheadMax: number;
  /** How often a restore reports how far it is. */
  readonly progressIntervalMs: number;
}

export const DEFAULT_SNAPSHOT_LIMITS: SnapshotLimits = {
  intervalMs: 5 * 60_000,
  incrementsMax: 11,
  chainsKept: 2,
  unfinishedAgeMsMax: 24 * 3_600_000,
  changedKeysMax: 50_000,
  chunkProfilesMax: 2000,
  chunkBytes: 512 * 1024,
  timeShareMax: 0.2,
  fixedPointAttemptsMax: 50,
  fixedPointWaitMs: 2000,
  blobAttemptsMax: 5,
  retryInitialMs: 100,
  retryMaxMs: 5000,
  chunksAheadMax: 4,
  progressIntervalMs: 5000,
};
