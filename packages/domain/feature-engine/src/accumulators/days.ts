import type { NumberStream } from '../streams.js';
import { DAY_MS } from '../time.js';
import type { Accumulator, Reading } from './accumulator.js';
import { addAscending, dropBelow, type Order, uniteAscending } from './ascending.js';
import { type NumberList, readNewestFirst, writeNewestFirst } from './newest-first.js';

/** Days (UTC) with an event, as days since 1970, ascending and each once. Never changed in place. */
export type Days = readonly number[];

/** The newest days are kept up to this number, 11 years of them: a feature without a window counts no more. */
export const ACTIVE_DAYS_MAX = 4_096;

export const DAY_ORDER: Order<number> = { numberOf: (day) => day, unite: (day) => day };
export const DAY_LIST: NumberList = { noun: 'day', apart: 1, lengthMax: ACTIVE_DAYS_MAX };

export interface DaysOptions {
  readonly stream: NumberStream;
  readonly index: number;
  /** Ascending; Infinity for the whole life. */
  readonly windowsMs: readonly number[];
  /** True to give streaks too. */
  readonly hasStreaks: boolean;
}

/**
 * The days with an event of a stream. Gives one count per window, then, if asked, two numbers per window: the current and the
 * longest streak.
 */
export function createDays({ stream, index, windowsMs, hasStreaks }: DaysOptions): Accumulator<Days> {
  const reachMs = windowsMs.at(-1) ?? 0;
  const advance = (state: Days, asOfMs: number) => dropBelow(state, toFirstDay(asOfMs, reachMs), DAY_ORDER);
  return {
    key: `days/${stream.key}`,
    columns: [],
    empty: [],
    add(state, { timestampMs, numbers }, asOfMs) {
      if (numbers[index] === 0) return advance(state, asOfMs);
      const days = addAscending(state, toDay(timestampMs), DAY_ORDER);
      return advance(takeNewest(days), asOfMs);
    },
    retract(state, { timestampMs, numbers }) {
      // Whether the day has another event is not known.
      return numbers[index] !== 0 && state.includes(toDay(timestampMs)) ? undefined : { state };
    },
    advance,
    merge: (a, b) => takeNewest(uniteAscending(a, b, DAY_ORDER)),
    read: (state, atMs) => readDays(state, atMs, { windowsMs, hasStreaks }),
    adopt: (state) => state,
    encode: (writer, state, asOfMs) => writeNewestFirst(writer, state, { ...DAY_LIST, newest: toDay(asOfMs) }),
    decode: (reader, asOfMs) => readNewestFirst(reader, { ...DAY_LIST, newest: toDay(asOfMs) }),
    isEstimate: () => false,
  };
}

export function toDay(timeMs: number): number {
  return Math.floor(timeMs / DAY_MS);
}

export function toFirstDay(atMs: number, windowMs: number): number {
  return toDay(atMs - windowMs);
}

export function takeNewest(days: Days): Days {
  return days.length > ACTIVE_DAYS_MAX ? days.slice(-ACTIVE_DAYS_MAX) : days;
}

/** What `createDays` gives at a time. */
export function readDays(
  days: Days,
  atMs: number,
  { windowsMs, hasStreaks }: Pick<DaysOptions, 'windowsMs' | 'hasStreaks'>,
): Reading {
  const counts = countWindows(days, atMs, windowsMs);
  return hasStreaks ? addStreaks(counts, days, { atMs, windowsMs }) : counts;
}

function countWindows(days: Days, atMs: number, windowsMs: readonly number[]): Reading {
  let changesAtMs = Number.POSITIVE_INFINITY;
  let place = days.length;
  const numbers = windowsMs.map((windowMs) => {
    const first = toFirstDay(atMs, windowMs);
    while (place > 0 && (days[place - 1] as number) >= first) place -= 1;
    const oldest = days[place];
    if (oldest !== undefined) changesAtMs = Math.min(changesAtMs, (oldest + 1) * DAY_MS + windowMs);
    return days.length - place;
  });
  return { numbers, changesAtMs };
}

/** A streak that ends yesterday goes on; it ends with the end of today. */
function addStreaks(
  { numbers, changesAtMs }: Reading,
  days: Days,
  { atMs, windowsMs }: { readonly atMs: number; readonly windowsMs: readonly number[] },
): Reading {
  const newest = days.at(-1);
  let isCurrent = newest !== undefined && newest >= toDay(atMs) - 1;
  const endsAtMs = isCurrent && newest !== undefined ? (newest + 2) * DAY_MS : Number.POSITIVE_INFINITY;
  let [place, run, current, longest] = [days.length, 0, 0, 0];
  const streaks = windowsMs.flatMap((windowMs) => {
    const first = toFirstDay(atMs, windowMs);
    for (; place > 0 && (days[place - 1] as number) >= first; place -= 1) {
      const isNext = place === days.length || (days[place - 1] as number) + 1 === days[place];
      if (!isNext) isCurrent = false;
      run = isNext ? run + 1 : 1;
      if (isCurrent) current = run;
      longest = Math.max(longest, run);
    }
    return [current, longest];
  });
  return { numbers: [...numbers, ...streaks], changesAtMs: Math.min(changesAtMs, endsAtMs) };
}
