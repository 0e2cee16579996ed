import { toLocalMinutes } from './time-zone.js';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;

/** A part of the day, in minutes since local midnight: from `from` up to but not including `to`; may span midnight. */
export interface QuietHours {
  readonly from: number;
  readonly to: number;
}

/** True when this instant is within quiet hours in the user's zone. */
export function isQuiet(quiet: QuietHours, timeZone: string, atMs: number): boolean {
  return isWithin(quiet, toLocalMinutes(timeZone, atMs));
}

/**
 * The end of the quiet hours that `atMs` is in; undefined when it is not quiet at `atMs`.
 *
 * Correct across clock changes. It advances by the rest that the wall clock shows. If clocks went back meanwhile, it
 * is still quiet there and it advances again; if they went forward, it is too late and searches for the first minute.
 */
export function toQuietEndMs(quiet: QuietHours, timeZone: string, atMs: number): number | undefined {
  let local = toLocalMinutes(timeZone, atMs);
  if (!isWithin(quiet, local)) return undefined;
  let quietMs = Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
  for (;;) {
    const endMs = quietMs + toMinutesUntil(local, quiet.to) * MINUTE_MS;
    local = toLocalMinutes(timeZone, endMs);
    if (!isWithin(quiet, local)) return local === quiet.to ? endMs : toFirstLoud(quiet, timeZone, quietMs, endMs);
    quietMs = endMs;
  }
}

/** Bisection: quiet at `quietMs`, not quiet at `loudMs`, with one change between them. */
function toFirstLoud(quiet: QuietHours, timeZone: string, quietMs: number, loudMs: number): number {
  let low = quietMs;
  let high = loudMs;
  while (high - low > MINUTE_MS) {
    const middle = low + Math.floor((high - low) / MINUTE_MS / 2) * MINUTE_MS;
    if (isQuiet(quiet, timeZone, middle)) low = middle;
    else high = middle;
  }
  return high;
}

function isWithin({ from, to }: QuietHours, minutes: number): boolean {
  return from < to ? minutes >= from && minutes < to : minutes >= from || minutes < to;
}

function toMinutesUntil(local: number, to: number): number {
  return ((to - local + DAY_MINUTES - 1) % DAY_MINUTES) + 1;
}
