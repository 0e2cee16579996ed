import { LruCache } from '@perennial/kernel';
import { toWallMs } from './civil.js';
import { parseOffset } from './offset.js';

/** Formatters cost about 50 us to create, and memory to keep. */
const FORMATTERS_MAX = 256;

/** Cache of a pure function; null for names that are no zone. */
const formatters = new LruCache<string, Intl.DateTimeFormat | null>({
  entriesMax: FORMATTERS_MAX,
  sizeMax: FORMATTERS_MAX,
});

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** True for an IANA name that this runtime knows, and for an offset such as `+05:30`. */
export function isZone(zone: string): boolean {
  return parseOffset(zone) !== undefined || toFormatter(zone) !== null;
}

/** What the zone's clocks are ahead of UTC at an instant, in ms; `zone` must be a zone. */
export function toZoneOffsetMs(zone: string, atMs: number): number {
  if (zone === 'UTC') return 0;
  const fixed = parseOffset(zone);
  if (fixed !== undefined) return fixed * MINUTE_MS;
  const formatter = toFormatter(zone);
  if (formatter === null) throw new RangeError(`${zone} is not a time zone`);
  const second = Math.floor(atMs / 1000) * 1000;
  const parts = { year: 0, month: 1, day: 1, hour: 0, minute: 0, second: 0 };
  for (const { type, value } of formatter.formatToParts(second)) {
    if (Object.hasOwn(parts, type)) parts[type as keyof typeof parts] = Number(value);
  }
  return toWallMs({ ...parts, millis: 0 }) - second;
}

/**
 * The instant at which the zone's clocks show this time (ms, as `toWallMs` gives it). A time that they show twice (clocks go back) is the first of the
 * two; undefined for one that they skip (clocks go forward).
 */
export function toInstant(wallMs: number, zone: string): number | undefined {
  // Zones change at most once within two days; so one of these offsets holds at the time itself.
  const before = wallMs - toZoneOffsetMs(zone, wallMs - DAY_MS);
  if (before + toZoneOffsetMs(zone, before) === wallMs) return before;
  const after = wallMs - toZoneOffsetMs(zone, wallMs + DAY_MS);
  return after + toZoneOffsetMs(zone, after) === wallMs ? after : undefined;
}

function toFormatter(zone: string): Intl.DateTimeFormat | null {
  const known = formatters.get(zone);
  if (known !== undefined) return known;
  const made = createFormatter(zone);
  formatters.set(zone, made);
  return made;
}

function createFormatter(timeZone: string): Intl.DateTimeFormat | null {
  const two = '2-digit';
  const fields = { year: 'numeric', month: two, day: two, hour: two, minute: two, second: two } as const;
  try {
    return new Intl.DateTimeFormat('en-u-ca-iso8601', { ...fields, timeZone, hourCycle: 'h23' });
  } catch {
    // Intl throws a RangeError for an unknown zone.
    return null;
  }
}
