export { createLimitedLog } from './limited-log.js';
export { createLogger, createSilentLogger, type Logger, type LoggerOptions } from './logger.js';
export {
  BATCH_SIZE_BUCKETS,
  type Counter,
  createMetrics,
  DURATION_BUCKETS_SECONDS,
  type Gauge,
  type Histogram,
  type Metrics,
  type Registry,
} from './metrics.js';
