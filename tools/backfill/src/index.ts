export type { BackfillResult } from './backfill-result.js';
export { advanceClock } from './clock-client.js';
export { openRowLedger } from './postgres-row-ledger.js';
export { CHAIN, readLags, waitForQuiet } from './quiet.js';
export type { BackfillProgress } from './run-backfill.js';
export { runBackfill } from './run-backfill.js';
