const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Tile length of a window: 5 min up to 12 h, 1 h up to 7 d, 1 d above, all aligned to UTC; Infinity of the whole life. */
export function toTileMs(windowMs: number): number {
  if (windowMs === Number.POSITIVE_INFINITY) return windowMs;
  if (windowMs <= 12 * HOUR_MS) return 5 * MINUTE_MS;
  return windowMs <= 7 * DAY_MS ? HOUR_MS : DAY_MS;
}
