/** Limits of a backfill. */
export const BACKFILL_LIMITS = {
  /** Longest step of log time between two ticks, so that timers fire close to when they would have. */
  tickStepMs: 3_600_000,
  /** Ticks requested in one call: 31 days of hours, some 4,500 records with 6 partitions. */
  ticksPerCallMax: 744,
  /** The front door accepts 2,500 events and 500,000 bytes a batch. */
  batchEventsMax: 500,
  batchBytesMax: 480_000,
  /** Requests in flight. All events of one user are in one lane, and a lane sends its batches one after another. */
  lanesMax: 8,
  /** Timeout of a request. */
  requestTimeoutMs: 60_000,
  retryInitialMs: 100,
  retryMaxMs: 10_000,
  /** Longest `Retry-After` that is honoured. */
  retryAfterMaxMs: 60_000,
  /** How long one request is retried; then the backfill stops, and the next run continues from there. */
  retryTotalMaxMs: 5 * 60_000,
  /** How long the platform may make no progress, and how long the wait for quiet may take in total. */
  quietStallMaxMs: 60_000,
  quietTotalMaxMs: 60 * 60_000,
  quietPollMs: 200,
  /** Rows acknowledged but not yet in the ledger: fewer than the message ids that a profile remembers (4,096). */
  ledgerPendingIdsMax: 2_000,
  /** Log time for which they may wait: less than message ids are remembered (24 h). */
  ledgerPendingLogMs: 6 * 3_600_000,
  /** Share of bad rows above which nothing is sent: the file is not what the mapping says. */
  badRowsShareMax: 0.5,
} as const;
