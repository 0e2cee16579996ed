export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Tile length of a window: 5 min up to 12 h, 1 h up to 7 d, 1 d above, all aligned to UTC; Infinity of the whole life. */
export function toTileMs(windowMs: number): number {
  if (windowMs === Number.POSITIVE_INFINITY) return windowMs;
  if (windowMs <= 12 * HOUR_MS) return 5 * MINUTE_MS;
  return windowMs <= 7 * DAY_MS ? HOUR_MS : DAY_MS;
}

/** Index of the tile that a time lies in; 0 where the whole life is one tile (Infinity). */
export function toTile(timeMs: number, tileMs: number): number {
  return tileMs === Number.POSITIVE_INFINITY ? 0 : Math.floor(timeMs / tileMs);
}

/** Index of the first tile of a window that ends at a time; 0 for the whole life (Infinity). */
export function toFirstTile(
  atMs: number,
  { windowMs, tileMs }: { readonly windowMs: number; readonly tileMs: number },
): number {
  return windowMs === Number.POSITIVE_INFINITY ? 0 : toTile(atMs - windowMs, tileMs);
}

/** Hour of the day, 0 to 23, of a time in ms UTC or of clocks, also of a time before 1970. */
export function toHour(timeMs: number): number {
  return Math.floor((timeMs - Math.floor(timeMs / DAY_MS) * DAY_MS) / HOUR_MS);
}

/** Day of the week as ISO 8601 numbers it, 1 for Monday to 7 for Sunday. The first day of 1970 was a Thursday. */
export function toWeekday(timeMs: number): number {
  const day = Math.floor(timeMs / DAY_MS) + 3;
  return day - Math.floor(day / 7) * 7 + 1;
}
