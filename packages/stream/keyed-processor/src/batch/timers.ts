import type { StoredTimer } from '../store/store.js';

/** Timers loaded for a batch, in (dueAt, key) order; when `truncated`, more are due than were loaded. */
export interface DueTimers {
  readonly timers: readonly StoredTimer[];
  readonly truncated: boolean;
}

/**
 * The timers to fire at a tick, in (dueAt, key) order, at most `room`: those loaded and those set by this batch
 * (`changed`, which takes precedence; null means removed). `complete` is false when more are due than were loaded or
 * fit.
 */
export function selectDueTimers(
  loaded: DueTimers,
  changed: ReadonlyMap<string, number | null>,
  timeMs: number,
  room: number,
): { due: StoredTimer[]; complete: boolean } {
  const last = loaded.timers.at(-1);
  // After the last loaded timer, others may be due that were not loaded: later ones must not fire before them.
  const boundary = loaded.truncated && last !== undefined && last.dueAtMs <= timeMs ? last : undefined;
  const candidates = loaded.timers.filter(({ key, dueAtMs }) => dueAtMs <= timeMs && !changed.has(key));
  for (const [key, dueAtMs] of changed) {
    if (dueAtMs === null || dueAtMs > timeMs) continue;
    const timer = { key, dueAtMs };
    if (boundary === undefined || compareTimers(timer, boundary) <= 0) candidates.push(timer);
  }
  candidates.sort(compareTimers);
  return { due: candidates.slice(0, room), complete: boundary === undefined && candidates.length <= room };
}

/** Keys are ASCII (pseudonyms), so this order equals that of Redis's sorted sets. */
function compareTimers(a: StoredTimer, b: StoredTimer): number {
  return a.dueAtMs - b.dueAtMs || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
}
