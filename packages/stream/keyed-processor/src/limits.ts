/** Every limit of the processor; a service may override some, none may be absent. */
export interface ProcessorLimits {
  /** Maximum of records (and fired timers) in one commit. */
  readonly batchItemsMax: number;
  /** Approximate maximum of bytes of record keys and values in one commit. */
  readonly batchBytesMax: number;
  /** Maximum of records of one partition queued in memory. */
  readonly queueItemsMax: number;
  readonly queueBytesMax: number;
  /** Maximum of timers that one load fetches; more are processed over several commits. */
  readonly timersPerLoadMax: number;
  /** Maximum of outboxes of one partition that are committed but not yet acknowledged. */
  readonly outboxesMax: number;
  /** Bytes of one output record, key and headers included; a step that exceeds it is poison. */
  readonly outputBytesMax: number;
  /** Maximum of decoded states of one partition kept in memory. */
  readonly cacheEntriesMax: number;
  readonly cacheBytesMax: number;
  /** Waits between attempts when Kafka, Redis or a registry is unavailable; attempts continue for ever, visibly. */
  readonly retryInitialMs: number;
  readonly retryMaxMs: number;
  /**
   * Attempts of the first request to the log at start; after the last one the start fails, and the process's supervisor
   * decides.
   */
  readonly startAttemptsMax: number;
  /** How long a fenced partition waits before it acquires ownership again. */
  readonly fencedRestMs: number;
  /** How often group offsets are committed (a hint, for lag metrics). */
  readonly groupCommitIntervalMs: number;
  /** How long a revoked partition may take to finish its current batch. */
  readonly drainMs: number;
  /** Session timeout of a group member: the group then reassigns its partitions; brokers accept no less than 6 s. */
  readonly sessionTimeoutMs: number;
  /** A source of which every record is dropped as a repeat is reported after this long and this many records. */
  readonly repeatsReportedAfterMs: number;
  readonly repeatsReportedMin: number;
  readonly fetchBytesPerPartitionMax: number;
  readonly fetchWaitMaxMs: number;
}

export const DEFAULT_LIMITS: ProcessorLimits = {
  batchItemsMax: 1000,
  batchBytesMax: 1024 * 1024,
  queueItemsMax: 4000,
  queueBytesMax: 4 * 1024 * 1024,
  timersPerLoadMax: 1000,
  outboxesMax: 4,
  outputBytesMax: 900 * 1024,
  cacheEntriesMax: 50_000,
  cacheBytesMax: 32 * 1024 * 1024,
  retryInitialMs: 50,
  retryMaxMs: 2000,
  startAttemptsMax: 12,
  fencedRestMs: 1000,
  groupCommitIntervalMs: 500,
  drainMs: 5000,
  sessionTimeoutMs: 6_000,
  repeatsReportedAfterMs: 30_000,
  repeatsReportedMin: 20,
  fetchBytesPerPartitionMax: 1024 * 1024,
  fetchWaitMaxMs: 500,
};
