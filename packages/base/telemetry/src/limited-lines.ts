import type { Logger as PinoLogger } from 'pino';
import { LOG_LIMITS, LogLimiter, type LogLimits } from './log-limiter.js';
import type { Metrics } from './metrics.js';

type LogMethod = (this: PinoLogger, ...args: [unknown, ...unknown[]]) => void;

interface Line {
  readonly logger: PinoLogger;
  readonly method: LogMethod;
  readonly args: readonly unknown[];
  readonly level: number;
}

/** pino's numbers. */
const LEVELS = { warn: 40, fatal: 60 } as const;
const LEVEL_NAMES: Readonly<Record<number, string>> = { 40: 'warn', 50: 'error' };
/** Characters of a text that distinguish kinds of lines. */
const TEXT_LENGTH_MAX = 200;

export interface LimitedLinesOptions {
  readonly limits?: LogLimits | undefined;
  /** Counts what is not written as `log_lines_suppressed_total`. */
  readonly metrics?: Metrics | undefined;
  /** Replaceable for tests. */
  readonly nowMs?: (() => number) | undefined;
}

/**
 * pino's hook for warnings and errors: of equal lines a few are written in each interval, then one more with `suppressed`,
 * their number. Lines are equal when level, message, logger and texts are, whatever numbers are in them.
 */
export function limitLines({ limits = LOG_LIMITS, metrics, nowMs = () => performance.now() }: LimitedLinesOptions) {
  const suppressed = metrics?.counter(
    'log_lines_suppressed_total',
    'Warnings and errors that were counted instead of written, because equal ones were',
    ['level'],
  );
  const limiter = new LogLimiter<Line>({
    limits,
    nowMs,
    schedule(ms, run) {
      const timer = setTimeout(run, ms);
      timer.unref();
      return { cancel: () => clearTimeout(timer) };
    },
    writeSummary({ last: { logger, method, args, level }, count }) {
      suppressed?.inc({ level: LEVEL_NAMES[level] ?? 'other' }, count);
      method.apply(logger, toSummary(args, { suppressed: count, suppressedWithinMs: limits.intervalMs }));
    },
  });
  return {
    logMethod(this: PinoLogger, args: unknown[], method: LogMethod, level: number): void {
      const isLimited =
        level >= LEVELS.warn && level < LEVELS.fatal && this.isLevelEnabled(LEVEL_NAMES[level] ?? 'error');
      if (isLimited && !limiter.admit(toKind(this, args, level), { logger: this, method, args, level })) return;
      method.apply(this, args as [unknown, ...unknown[]]);
    },
    flush: () => limiter.flush(),
  };
}

function toSummary(args: readonly unknown[], counts: object): [unknown, ...unknown[]] {
  const [first, ...rest] = args;
  if (first instanceof Error) return [{ error: first, ...counts }, ...(rest.length === 0 ? [first.message] : rest)];
  return typeof first === 'object' && first !== null ? [{ ...first, ...counts }, ...rest] : [counts, ...args];
}

function toKind(logger: PinoLogger, args: readonly unknown[], level: number): string {
  return [level, ...Object.values(logger.bindings()).map(toText), ...args.map(toText)].join('|');
}

/** Numbers are left out, but that of a partition: offsets, times and counts differ in lines that are equal otherwise. */
function toText(value: unknown): string {
  if (typeof value === 'string') return value.slice(0, TEXT_LENGTH_MAX).replace(/\d+/g, '#');
  if (value instanceof Error) return toText(value.message);
  if (typeof value !== 'object' || value === null) return '';
  const { partition } = value as { partition?: unknown };
  const texts = Object.values(value).map((inner) =>
    isPlain(inner) ? Object.values(inner).map(toFlatText) : toText(inner),
  );
  return [typeof partition === 'number' ? partition : '', ...texts.flat()].join('|');
}

function toFlatText(value: unknown): string {
  return typeof value === 'string' || value instanceof Error ? toText(value) : '';
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !(value instanceof Error);
}
