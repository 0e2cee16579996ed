import { isZone, toZoneOffsetMs } from '@perennial/time-text';

const NAME_LENGTH_MAX = 64;
const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;

/** True for an IANA name that this runtime knows, and for an offset such as `+05:30`. */
export function isTimeZone(name: string): boolean {
  return name !== '' && name.length <= NAME_LENGTH_MAX && isZone(name);
}

/** Minutes since local midnight at an instant, in [0, 1440); `timeZone` must be a zone. */
export function toLocalMinutes(timeZone: string, atMs: number): number {
  const minutes = Math.floor((atMs + toZoneOffsetMs(timeZone, atMs)) / MINUTE_MS);
  return ((minutes % DAY_MINUTES) + DAY_MINUTES) % DAY_MINUTES;
}

/** Number of the local day at an instant, since that of 1970; days of 23 and 25 hours too. */
export function toLocalDay(timeZone: string, atMs: number): number {
  return Math.floor((atMs + toZoneOffsetMs(timeZone, atMs)) / (DAY_MINUTES * MINUTE_MS));
}
