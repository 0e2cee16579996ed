import { describeTimeProblem, parseTime } from '@perennial/time-text';
import { LIMITS } from './limits.js';
import type { JsonObject } from './parse-properties.js';
import { Rejection, toExcerpt } from './rejection.js';

/** `wall`: receivedAt is ingest's clock. `events`: history is backfilled, and receivedAt is the event's own time. */
export type ClockMode = 'wall' | 'events';

/** Times of an event and of its receipt, in ms. */
export interface EventTimes {
  readonly timestampMs: number;
  readonly receivedAtMs: number;
  /** True when a `sentAt` was sent that says nothing about the client's clock. */
  readonly isSentAtIgnored: boolean;
}

interface Receipt {
  readonly receivedAtMs: number;
  readonly clockMode: ClockMode;
  /** `sentAt` of the batch, used when the event has no usable one of its own. */
  readonly sentAt?: unknown;
}

/**
 * Clients send `originalTimestamp` (RudderStack) or `timestamp` (Segment) with the same meaning, and some both: the first
 * that can be read and is possible counts.
 */
const TIME_FIELDS = ['originalTimestamp', 'timestamp'] as const;

/** A time as the client sent it. */
interface SentTime {
  readonly field: string;
  readonly value: unknown;
  readonly ms: number;
}

/**
 * The times of an event, with the client's clock corrected by `sentAt` where that is plausible; never in the future. Only a
 * wrong time of the event itself rejects it.
 */
export function parseTimes(raw: JsonObject, receipt: Receipt): EventTimes | Rejection {
  let rejection: Rejection | undefined;
  for (const field of TIME_FIELDS) {
    if (isAbsent(raw[field])) continue;
    const times = parseField(raw, field, receipt);
    if (!(times instanceof Rejection)) return times;
    rejection ??= times;
  }
  return rejection ?? toTimesOfReceipt(receipt);
}

function parseField(raw: JsonObject, field: string, receipt: Receipt): EventTimes | Rejection {
  const value = raw[field];
  const ms = parseMoment(value, field);
  if (ms instanceof Rejection) return ms;
  const original = { field, value, ms };
  return receipt.clockMode === 'events' ? toPastTimes(original, receipt) : toWallTimes(original, raw.sentAt, receipt);
}

/** Times of an event that has none itself. */
function toTimesOfReceipt({ receivedAtMs, clockMode }: Receipt): EventTimes | Rejection {
  if (clockMode === 'wall') return { timestampMs: receivedAtMs, receivedAtMs, isSentAtIgnored: false };
  const message = 'timestamp is missing, and this namespace backfills history';
  return new Rejection('invalid_timestamp', message).on('timestamp');
}

function toWallTimes(original: SentTime, ownSentAt: unknown, receipt: Receipt): EventTimes | Rejection {
  const { receivedAtMs, sentAt } = receipt;
  const own = readSentAt(ownSentAt, original.ms, receivedAtMs);
  const sentAtMs = own ?? readSentAt(sentAt, original.ms, receivedAtMs);
  const corrected = original.ms + (sentAtMs === undefined ? 0 : receivedAtMs - sentAtMs);
  const isSentAtIgnored = sentAtMs === undefined && !(isAbsent(ownSentAt) && isAbsent(sentAt));
  return (
    checkRange(original, corrected, receivedAtMs) ?? {
      timestampMs: Math.min(corrected, receivedAtMs),
      receivedAtMs,
      isSentAtIgnored,
    }
  );
}

/** History has its own time. No clamp: it would make a backfill's result depend on when it runs. */
function toPastTimes(original: SentTime, { receivedAtMs }: Receipt): EventTimes | Rejection {
  const { ms } = original;
  return checkRange(original, ms, receivedAtMs) ?? { timestampMs: ms, receivedAtMs: ms, isSentAtIgnored: false };
}

/** A time to ms since the epoch, UTC when the text names no zone. Forms: `@perennial/time-text`. */
export function parseMoment(value: unknown, field: string): number | Rejection {
  if (typeof value !== 'string' && typeof value !== 'number') {
    return new Rejection('invalid_timestamp', `${field} must be a time, not ${toExcerpt(value)}`).on(field, value);
  }
  const parsed = parseTime(value, { zone: 'UTC' });
  if (parsed.ok) return parsed.ms;
  const message = `${field} ${toExcerpt(value)} ${describeTimeProblem(parsed.reason)}`;
  return new Rejection('invalid_timestamp', message).on(field, value);
}

function readSentAt(value: unknown, originalMs: number, receivedAtMs: number): number | undefined {
  if (isAbsent(value)) return undefined;
  const ms = parseMoment(value, 'sentAt');
  return ms instanceof Rejection || !isPlausible(ms, originalMs, receivedAtMs) ? undefined : ms;
}

/**
 * Whether `sentAt` shows how far off the client's clock is. It must come from the clock that the event's time is from: not
 * before it. And a clock is believed to be off by more than a day only where the event's time is impossible without
 * correction; else a stale or made-up `sentAt` would move a good time.
 */
function isPlausible(sentAtMs: number, originalMs: number, receivedAtMs: number): boolean {
  if (sentAtMs < originalMs - LIMITS.sentBeforeMaxMs) return false;
  if (Math.abs(receivedAtMs - sentAtMs) <= LIMITS.clockErrorMaxMs) return true;
  return originalMs < LIMITS.timestampMinMs || originalMs > receivedAtMs + LIMITS.futureMaxMs;
}

function checkRange({ field, value, ms }: SentTime, corrected: number, receivedAtMs: number): Rejection | undefined {
  const moved = corrected === ms ? '' : `, corrected by sentAt to ${toText(corrected)},`;
  if (corrected - receivedAtMs > LIMITS.futureMaxMs) {
    const message = `${field} ${toExcerpt(value)}${moved} is more than 24 h ahead`;
    return new Rejection('timestamp_too_far_in_future', message).on(field, value);
  }
  if (corrected < LIMITS.timestampMinMs) {
    const message = `${field} ${toExcerpt(value)}${moved} is before 1990`;
    return new Rejection('timestamp_too_old', message).on(field, value);
  }
  return undefined;
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

function toText(timestampMs: number): string {
  const date = new Date(timestampMs);
  return Number.isNaN(date.getTime()) ? String(timestampMs) : date.toISOString();
}
