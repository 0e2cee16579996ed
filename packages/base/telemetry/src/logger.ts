import { escapeLines } from '@perennial/kernel';
import type { DestinationStream, Logger } from 'pino';
import { pino } from 'pino';
import { limitLines } from './limited-lines.js';
import type { LogLimits } from './log-limiter.js';
import type { Metrics } from './metrics.js';
import { RotatingFile } from './rotating-file.js';

export type { Logger } from 'pino';

export interface LoggerOptions {
  readonly service: string;
  readonly namespace: string;
  readonly instanceId: string;
  readonly level: string;
  /** Default: standard output. */
  readonly destination?: DestinationStream;
  /** A file that standard output may be too: it is kept below `LOG_FILE_LIMITS`. */
  readonly file?: string | undefined;
  /** Counts the lines that are not written. */
  readonly metrics?: Metrics;
  readonly limits?: LogLimits;
  /** Replaceable for tests: monotonic milliseconds. */
  readonly nowMs?: () => number;
}

/** Fields whose values must never reach a log, wherever a caller logs them. */
const REDACTED = [
  'secret',
  'password',
  'writeKey',
  'authorization',
  'req.headers.authorization',
  'req.headers.cookie',
  '*.secret',
  '*.password',
  '*.writeKey',
];

/**
 * JSON lines with `service`, `namespace`, `instance` on each; errors under `error` with stack and cause. Warnings and
 * errors are limited in rate: nothing is left out without a count. `flush` writes the counts of the current interval.
 */
export function createLogger(options: LoggerOptions): Logger {
  const { service, namespace, instanceId, level, metrics, limits, nowMs, file } = options;
  const { logMethod, flush } = limitLines({ metrics, limits, nowMs });
  const settings = {
    level,
    base: { service, namespace, instance: instanceId },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    messageKey: 'message',
    errorKey: 'error',
    serializers: {
      error: pino.stdSerializers.errWithCause,
      err: pino.stdSerializers.errWithCause,
      req: toLoggedRequest,
    },
    redact: { paths: REDACTED, censor: '[redacted]' },
    // Who reads a log on a terminal must not have it obey what a client sent; as JSON it stays the same value.
    hooks: { streamWrite: escapeLines, logMethod },
  };
  const destination = options.destination ?? (file === undefined ? undefined : new RotatingFile(file));
  const logger = destination === undefined ? pino(settings) : pino(settings, destination);
  logger.flush = flush;
  return logger;
}

/** A request without its headers and its query: beacons have their write key in the query. */
function toLoggedRequest(request: { readonly method?: unknown; readonly url?: unknown }): object {
  return { method: request.method, path: typeof request.url === 'string' ? request.url.split('?', 1)[0] : undefined };
}

/** A logger that drops everything, for tests. */
export function createSilentLogger(): Logger {
  return pino({ level: 'silent' });
}
