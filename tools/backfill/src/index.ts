export { advanceClock } from './clock-client.js';
export { BACKFILL_LIMITS } from './limits.js';
export type { Lags, Quiet, QuietOptions, Reader } from './quiet.js';
export { CHAIN, readLags, waitForQuiet } from './quiet.js';
export type { BackfillOptions, BackfillProgress, BackfillResult } from './run-backfill.js';
export { runBackfill } from './run-backfill.js';
export { toHourCeiling } from './schedule.js';
