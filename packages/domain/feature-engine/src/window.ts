import { DAY_MS, HOUR_MS, MINUTE_MS } from './time.js';

const UNITS_MS = { h: HOUR_MS, d: DAY_MS } as const;

const WINDOW_MS_MIN = HOUR_MS;
const WINDOW_MS_MAX = 365 * DAY_MS;

/** Parses a window such as `12h` or `90d` to ms; undefined when it is invalid or not from 1h to 365d. */
export function parseWindow(text: unknown): number | undefined {
  const match = typeof text === 'string' ? /^([1-9]\d{0,4})([hd])$/.exec(text) : null;
  if (match === null) return undefined;
  const windowMs = Number(match[1]) * UNITS_MS[match[2] as keyof typeof UNITS_MS];
  return windowMs >= WINDOW_MS_MIN && windowMs <= WINDOW_MS_MAX ? windowMs : undefined;
}

/** Parses a gap such as `30m` or `2h` to ms; undefined when it is invalid. */
export function parseGap(text: unknown): number | undefined {
  const match = typeof text === 'string' ? /^([1-9]\d{0,4})([mh])$/.exec(text) : null;
  return match === null ? undefined : Number(match[1]) * (match[2] === 'm' ? MINUTE_MS : HOUR_MS);
}

/** Formats a length of time, whole days as days: one must not give two definitions because of its notation. */
export function toWindowText(windowMs: number): string {
  if (windowMs % HOUR_MS !== 0) return `${windowMs / MINUTE_MS}m`;
  return windowMs % DAY_MS === 0 ? `${windowMs / DAY_MS}d` : `${windowMs / HOUR_MS}h`;
}
