export { advanceClock } from './clock-client.js';
export { REPLAY_LIMITS } from './limits.js';
export type { Lags, Quiet, QuietOptions, Reader } from './quiet.js';
export { CHAIN, readLags, waitForQuiet } from './quiet.js';
export type { ReplayOptions, ReplayProgress, ReplayResult } from './run-replay.js';
export { runReplay } from './run-replay.js';
export { toHourCeiling } from './schedule.js';
