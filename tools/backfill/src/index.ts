export { advanceClock } from './clock-client.js';
export { CHAIN, readLags, waitForQuiet } from './quiet.js';
export type { BackfillProgress, BackfillResult } from './run-backfill.js';
export { runBackfill } from './run-backfill.js';
