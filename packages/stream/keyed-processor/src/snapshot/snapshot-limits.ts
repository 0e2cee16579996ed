/** Every limit of snapshots and restores. */
export interface SnapshotLimits {
  /** Interval from the beginning of one snapshot of a partition to the beginning of the next. */
  readonly intervalMs: number;
  /** Maximum of increments to a full snapshot; the next one is then full. */
  readonly incrementsMax: number;
  /** Full snapshots that are kept, each with its increments. */
  readonly lineagesKept: number;
  /** Objects without a manifest may belong to a snapshot in progress for this long; then they are removed. */
  readonly unfinishedAgeMsMax: number;
  /** Maximum of keys noted as changed since the last snapshot (about 100 bytes each); above it the next one is full. */
  readonly changedKeysMax: number;
  /** Maximum of profiles that one read of the store returns, and the bytes that it aims at. */
  readonly chunkProfilesMax: number;
  readonly chunkBytes: number;
  /**
   * Share of time that reading, compressing and writing may use; the writer is idle otherwise. One partition of a
   * process writes at a time.
   */
  readonly timeShareMax: number;
  /** Attempts to stop the partition between two records with nothing unpublished, and how long each may hold it up. */
  readonly fixedPointAttemptsMax: number;
  readonly fixedPointWaitMs: number;
  /** Attempts of one blob store operation; then the snapshot is abandoned, or the restore starts again. */
  readonly blobAttemptsMax: number;
  readonly retryInitialMs: number;
  readonly retryMaxMs: number;
  /** Chunks of one partition that a restore fetches ahead. */
  readonly chunksAheadMax: number;
  /** How often a restore reports its progress. */
  readonly progressIntervalMs: number;
}

export const DEFAULT_SNAPSHOT_LIMITS: SnapshotLimits = {
  intervalMs: 5 * 60_000,
  incrementsMax: 11,
  lineagesKept: 2,
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
