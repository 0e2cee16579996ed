import type { IdMemoryLimits } from './id-memory.js';
import { HOUR_MS } from './time.js';

/** Maximum message ids remembered per profile; the oldest are forgotten first, and counted. */
export const MESSAGE_IDS_MAX = 4_096;

/** A late retry changes nothing within a day of log time. */
export const MESSAGE_MEMORY: IdMemoryLimits = {
  keptMs: 24 * HOUR_MS,
  stampMs: HOUR_MS,
  idsMax: MESSAGE_IDS_MAX,
};
