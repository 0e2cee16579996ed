/** Every bound of the event archive. */
export interface ArchiveLimits {
  /**
   * Records of one window of append time are in a file of their own: the archive's maximum delay, besides the
   * time that writing takes. It divides a day, so that no file spans two days.
   */
  readonly windowMs: number;
  /** How far the clock must be past a window's end before a quiet partition is taken to have no more records of it. */
  readonly quietGraceMs: number;
  /**
   * Approximate bytes of records in all partitions' open files: each partition's file is bounded by its share. Memory
   * use is lower, since row groups are encoded as they fill.
   */
  readonly heldBytesMax: number;
  /** Lower bound of a file's limit, however many partitions there are. */
  readonly fileBytesMin: number;
  /** Rows encoded at once: this takes a few milliseconds, since HTTP and the hot path share the thread. */
  readonly rowGroupRows: number;
  /** Interval at which quiet partitions are checked, and age and lag are measured. */
  readonly observeIntervalMs: number;
  readonly retryInitialMs: number;
  readonly retryMaxMs: number;
  readonly sessionTimeoutMs: number;
  readonly fetchBytesPerPartitionMax: number;
  /** Latency does not matter for the archive: a fetch waits for this many bytes, */
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

/** Byte limit of one file: a function of the fixed partition count, so that all archivers cut in the same way. */
export function toFileBytesMax(limits: ArchiveLimits, partitions: number): number {
  return Math.max(limits.fileBytesMin, Math.floor(limits.heldBytesMax / partitions));
}
