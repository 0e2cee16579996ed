import { LIMITS } from './limits.js';
import { Rejection, toExcerpt } from './rejection.js';

// Date.parse alone would read "hello 1" as a date in 2001.
const ISO_8601 = /^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?) ?([Zz]|[+-]\d{2}:?\d{2})?)?$/;

/** Parses ISO 8601 (UTC when it names no zone) or a number of ms to ms since the epoch; undefined when absent. */
export function parseMoment(value: unknown, field: string): number | undefined | Rejection {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isFinite(value)) return Math.round(value);
  const moment = typeof value === 'string' ? parseIso(value) : Number.NaN;
  if (Number.isNaN(moment)) {
    return new Rejection('invalid_timestamp', `${field} must be an ISO 8601 time, not ${toExcerpt(value)}`);
  }
  return moment;
}

function parseIso(text: string): number {
  const match = ISO_8601.exec(text);
  if (match === null) return Number.NaN;
  const [, date, time = '00:00', zone = 'Z'] = match;
  const offset = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase();
  return Date.parse(`${date}T${time}${offset}`);
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
