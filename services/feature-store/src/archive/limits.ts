/** Every bound of the event archive. */
export interface ArchiveLimits {
  /**
   * Records of one stretch of append time lie in a file of their own: how far the archive is behind at most, beside the
   * time that writing takes. It divides a day, so that no file spans two.
   */
  readonly windowMs: number;
  /** Beyond a window's end the clock must be so far until a partition that has gone quiet is taken to have no more of it. */
  readonly quietGraceMs: number;
  /**
   * Records of all partitions' files that are in the making, bytes, about: each partition's file is bounded by its share. What
   * is held is less, since row groups are encoded as they fill.
   */
  readonly heldBytesMax: number;
  /** No file's bound is below this, however many partitions there are. */
  readonly fileBytesMin: number;
  /** Rows that are encoded at once: a few milliseconds, since HTTP and the hot path share the thread. */
  readonly rowGroupRows: number;
  /** How often quiet partitions are looked at, and age and lag measured. */
  readonly observeIntervalMs: number;
  readonly retryInitialMs: number;
  readonly retryMaxMs: number;
  readonly sessionTimeoutMs: number;
  readonly fetchBytesPerPartitionMax: number;
  /** The archive is in no hurry: fetches wait for so much, */
  readonly fetchBytesMin: number;
  /** but no longer than this. */
  readonly fetchWaitMaxMs: number;
}

export const ARCHIVE_LIMITS: ArchiveLimits = {
  windowMs: 10 * 60_000,
  quietGraceMs: 60_000,
  heldBytesMax: 64 * 1024 * 1024,
  fileBytesMin: 512 * 1024,
  rowGroupRows: 250,
  observeIntervalMs: 5_000,
  retryInitialMs: 200,
  retryMaxMs: 10_000,
  sessionTimeoutMs: 10_000,
  fetchBytesPerPartitionMax: 512 * 1024,
  fetchBytesMin: 256 * 1024,
  fetchWaitMaxMs: 1_000,
};

/** Bytes of records that one file holds at most: a function of the partition count, which is fixed, so that every archiver cuts alike. */
export function toFileBytesMax(limits: ArchiveLimits, partitions: number): number {
  return Math.max(limits.fileBytesMin, Math.floor(limits.heldBytesMax / partitions));
}
