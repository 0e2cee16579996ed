const PATTERN = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|z|[+-]\d{2}:?\d{2})?)?$/;

/** Why a text is not a valid time. */
export type TimestampProblem = 'is not an ISO 8601 time' | 'has no time zone (end it with Z or an offset)';

/**
 * Strict ISO 8601 to milliseconds since the epoch: date and time with a zone, or a date alone (midnight UTC). A local
 * time without a zone is invalid: guessing would shift every window by hours, unnoticed.
 */
export function parseTimestamp(text: string): number | TimestampProblem {
  const match = PATTERN.exec(text);
  if (match === null) return 'is not an ISO 8601 time';
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone] = match;
  if (match[4] !== undefined && zone === undefined) return 'has no time zone (end it with Z or an offset)';
  const offsetMs = toOffsetMs(zone);
  const dayMs = Date.UTC(Number(year), Number(month) - 1, Number(day));
  const date = new Date(dayMs);
  const isDay = date.getUTCFullYear() === Number(year) && date.getUTCMonth() + 1 === Number(month);
  if (!isDay || date.getUTCDate() !== Number(day)) return 'is not an ISO 8601 time';
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59 || offsetMs === undefined) {
    return 'is not an ISO 8601 time';
  }
  const millis = Number(fraction.padEnd(3, '0').slice(0, 3));
  return dayMs + Number(hour) * 3_600_000 + Number(minute) * 60_000 + Number(second) * 1000 + millis - offsetMs;
}

function toOffsetMs(zone: string | undefined): number | undefined {
  if (zone === undefined || zone === 'Z' || zone === 'z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(-2));
  if (hours > 15 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}
