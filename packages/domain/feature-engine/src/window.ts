import { DAY_MS, HOUR_MS } from './time.js';

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

/** Formats a window, whole days as days: one window must not give two definitions because of its notation. */
export function toWindowText(windowMs: number): string {
  return windowMs % DAY_MS === 0 ? `${windowMs / DAY_MS}d` : `${windowMs / HOUR_MS}h`;
}
