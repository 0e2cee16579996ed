import { isZone, toZoneOffsetMs } from '@perennial/time-text';

/** What `Date` can be. */
const DATE_MS_MAX = 8.64e15;

/** The last answer: the streams of one event ask for the same. A cache of a pure function. */
let last = { timeMs: 0, zone: '', offsetMs: 0 };

/**
 * What the clocks of a zone are ahead of UTC at a time, in ms, less than a day either way; 0 for no zone and for one that
 * this runtime does not know.
 */
export function toOffsetMs(timeMs: number, zone: string | undefined): number {
  if (zone === undefined || zone === '') return 0;
  if (last.timeMs !== timeMs || last.zone !== zone) {
    const isKnown = Math.abs(timeMs) <= DATE_MS_MAX && isZone(zone);
    last = { timeMs, zone, offsetMs: isKnown ? toZoneOffsetMs(zone, timeMs) : 0 };
  }
  return last.offsetMs;
}

/** The time as the zone's clocks show it, as if these were UTC. */
export function toLocalMs(timeMs: number, zone: string | undefined): number {
  return timeMs + toOffsetMs(timeMs, zone);
}
