/** Every bound of the processor; a service may override some, none may be absent. */
export interface ProcessorLimits {
  /** Records (and fired timers) that one commit covers at most. */
  readonly batchItemsMax: number;
  /** Bytes of record values and keys that one commit covers, about. */
  readonly batchBytesMax: number;
  /** Records of one partition that wait in memory. */
  readonly queueItemsMax: number;
  readonly queueBytesMax: number;
  /** Timers that one load fetches; more are processed over several commits. */
  readonly timersPerLoadMax: number;
  /** Outboxes of one partition that are committed but not yet acknowledged. */
  readonly outboxesMax: number;
  /** Bytes of one output record, key and headers included; a step that exceeds it is poison. */
  readonly outputBytesMax: number;
  /** Decoded states kept in memory, of one partition. */
  readonly cacheEntriesMax: number;
  readonly cacheBytesMax: number;
  /** Waits between tries when Kafka, Redis or a registry is away; tries go on for ever, visibly. */
  readonly retryInitialMs: number;
  readonly retryMaxMs: number;
  /** Attempts of the first request to the log, at the start; after the last one the start fails, and the process's supervisor decides. */
  readonly startAttemptsMax: number;
  /** How long a fenced partition rests before it asks for ownership again. */
  readonly fencedRestMs: number;
  /** How often group offsets are committed (a hint, for lag metrics). */
  readonly groupCommitIntervalMs: number;
  /** How long a partition that is given up may take to finish the batch in hand. */
  readonly drainMs: number;
  /** How long a member may be silent before the group gives its partitions to others; brokers take no less than 6 s. */
  readonly sessionTimeoutMs: number;
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
  fetchBytesPerPartitionMax: 1024 * 1024,
  fetchWaitMaxMs: 500,
};
