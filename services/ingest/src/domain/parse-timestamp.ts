import { describeTimeProblem, parseTime } from '@perennial/time-text';
import { LIMITS } from './limits.js';
import { Rejection, toExcerpt } from './rejection.js';

/**
 * Parses a time to ms since the epoch, UTC when it names no zone; undefined when absent. Forms: `@perennial/time-text`.
 */
export function parseMoment(value: unknown, field: string): number | undefined | Rejection {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string' && typeof value !== 'number') {
    return new Rejection('invalid_timestamp', `${field} must be a time, not ${toExcerpt(value)}`);
  }
  const parsed = parseTime(value, { zone: 'UTC' });
  if (parsed.ok) return parsed.ms;
  return new Rejection('invalid_timestamp', `${field} ${toExcerpt(value)} ${describeTimeProblem(parsed.reason)}`);
}

/** `wall`: receivedAt is ingest's clock. `events`: history is backfilled, and receivedAt is the event's own time. */
export type ClockMode = 'wall' | 'events';

export interface ClientTimes {
  /** When the event happened, by the client's clock. */
  readonly original: number | undefined;
  /** When the client sent it, by its own clock: the difference to `receivedAtMs` gives the clock's error. */
  readonly sentAt: number | undefined;
  /** Ingest's clock. */
  readonly receivedAtMs: number;
  readonly clockMode: ClockMode;
}

/** Times of the event and of its receipt, in ms, with the client's clock corrected; never in the future. */
export function correctClock(times: ClientTimes): { timestampMs: number; receivedAtMs: number } | Rejection {
  const { original, sentAt, receivedAtMs, clockMode } = times;
  if (clockMode === 'events') {
    if (original === undefined) {
      return new Rejection('invalid_timestamp', 'timestamp is missing, and this namespace backfills history');
    }
    // No clamp: it would make a backfill's result depend on when it runs.
    return checkRange(original, receivedAtMs) ?? { timestampMs: original, receivedAtMs: original };
  }
  const skewMs = sentAt === undefined ? 0 : receivedAtMs - sentAt;
  const corrected = original === undefined ? receivedAtMs : original + skewMs;
  return checkRange(corrected, receivedAtMs) ?? { timestampMs: Math.min(corrected, receivedAtMs), receivedAtMs };
}

function checkRange(timestampMs: number, receivedAtMs: number): Rejection | undefined {
  if (timestampMs - receivedAtMs > LIMITS.futureMaxMs) {
    return new Rejection('timestamp_too_far_in_future', `timestamp ${toText(timestampMs)} is more than 24 h ahead`);
  }
  if (timestampMs < LIMITS.timestampMinMs) {
    return new Rejection('timestamp_too_old', `timestamp ${toText(timestampMs)} is before 1990`);
  }
  return undefined;
}

function toText(timestampMs: number): string {
  const date = new Date(timestampMs);
  return Number.isNaN(date.getTime()) ? String(timestampMs) : date.toISOString();
}
