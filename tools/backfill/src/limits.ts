/** Bounds of a backfill. */
export const BACKFILL_LIMITS = {
  /** Time goes on by this much at most between two ticks, so that timers fire about when they would have. */
  tickStepMs: 3_600_000,
  /** Ticks asked for in one call: 31 days of hours, some 4,500 records with 6 partitions. */
  ticksPerCallMax: 744,
  /** The front door takes 2,500 events and 500,000 bytes a batch. */
  batchEventsMax: 500,
  batchBytesMax: 480_000,
  /** Requests in flight; one user's events are all in one lane, and a lane sends one after another. */
  lanesMax: 8,
  /** A request that got no answer. */
  requestTimeoutMs: 60_000,
  retryInitialMs: 100,
  retryMaxMs: 10_000,
  /** `Retry-After` is honoured up to this. */
  retryAfterMaxMs: 60_000,
  /** One request is tried again for this long; then the backfill stops, and goes on from there when it is run again. */
  retryTotalMaxMs: 5 * 60_000,
  /** How long the platform may stand still, and take in all, before the wait for quiet gives up and says so. */
  quietStallMaxMs: 60_000,
  quietTotalMaxMs: 60 * 60_000,
  quietPollMs: 200,
} as const;
