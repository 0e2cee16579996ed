export { createLimitedLog } from './limited-log.js';
export { createLogger, createSilentLogger, type Logger } from './logger.js';
export {
  BATCH_SIZE_BUCKETS,
  createMetrics,
  DURATION_BUCKETS_SECONDS,
  type Metrics,
} from './metrics.js';
