import { type ByteReader, type ByteWriter, damaged } from '../bytes.js';
import { toOffsetMs } from '../local-time.js';
import { DAY_MS } from '../time.js';
import type { Accumulator } from './accumulator.js';
import { addAscending, dropBelow, uniteAscending } from './ascending.js';
import { DAY_LIST, DAY_ORDER, type Days, type DaysOptions, readDays, takeNewest, toDay, toFirstDay } from './days.js';
import { readNewestFirst, writeNewestFirst } from './newest-first.js';

/** The newest event of the newest day: its time, and what its clocks were ahead of UTC. */
interface Newest {
  readonly atMs: number;
  readonly offsetMs: number;
}

/** Days with an event, each that of the event's own clocks, and whose clocks say what day it is now. Undefined without days. */
export type LocalDays = { readonly days: Days; readonly newest: Newest } | undefined;

/**
 * As `createDays`, in the days of each event's own time zone. Today is what the clocks of the newest event say, with the
 * offset that they had then: so a window never goes back when clocks do. The newest event is that of the newest day, since
 * days that no window covers are dropped, and what is known must not depend on when.
 */
export function createLocalDays({ stream, index, ...options }: DaysOptions): Accumulator<LocalDays> {
  const reachMs = options.windowsMs.at(-1) ?? 0;
  const advance = (state: LocalDays, asOfMs: number): LocalDays => {
    if (state === undefined) return undefined;
    // A window begins at most a day earlier than in UTC, whatever zone the next event has.
    const days = dropBelow(state.days, toFirstDay(asOfMs - DAY_MS, reachMs), DAY_ORDER);
    if (days === state.days) return state;
    return days.length === 0 ? undefined : { ...state, days };
  };
  return {
    key: `local-days/${stream.key}`,
    columns: [],
    empty: undefined,
    add(state, { timestampMs, timeZone, numbers }, asOfMs) {
      if (numbers[index] === 0) return advance(state, asOfMs);
      const newest = { atMs: timestampMs, offsetMs: toOffsetMs(timestampMs, timeZone) };
      const day = toLocalDay(newest);
      if (state === undefined) return advance({ days: [day], newest }, asOfMs);
      const days = takeNewest(addAscending(state.days, day, DAY_ORDER));
      return advance({ days, newest: pickNewest(state.newest, newest) }, asOfMs);
    },
    retract(state, { timestampMs, timeZone, numbers }) {
      if (numbers[index] === 0 || state === undefined) return { state };
      const day = toLocalDay({ atMs: timestampMs, offsetMs: toOffsetMs(timestampMs, timeZone) });
      // Whether the day has another event is not known.
      return state.days.includes(day) ? undefined : { state };
    },
    advance,
    merge(a, b) {
      if (a === undefined || b === undefined) return a ?? b;
      const days = takeNewest(uniteAscending(a.days, b.days, DAY_ORDER));
      return { days, newest: pickNewest(a.newest, b.newest) };
    },
    read(state, atMs) {
      const offsetMs = state?.newest.offsetMs ?? 0;
      const { numbers, changesAtMs } = readDays(state?.days ?? [], atMs + offsetMs, options);
      return { numbers, changesAtMs: changesAtMs - offsetMs };
    },
    adopt: (state) => state,
    encode: writeLocalDays,
    decode: readLocalDays,
    isEstimate: () => false,
  };
}

function toLocalDay({ atMs, offsetMs }: Newest): number {
  return toDay(atMs + offsetMs);
}

/** Of the later day; of one day the later event; of one time the clocks that are most ahead. */
function pickNewest(a: Newest, b: Newest): Newest {
  const order = toLocalDay(a) - toLocalDay(b) || a.atMs - b.atMs || a.offsetMs - b.offsetMs;
  return order >= 0 ? a : b;
}

/** The days, then how long ago the newest event was, and its offset and a day. */
function writeLocalDays(writer: ByteWriter, state: LocalDays, asOfMs: number): void {
  writeNewestFirst(writer, state?.days ?? [], { ...DAY_LIST, newest: toDay(asOfMs) + 1 });
  if (state === undefined) return;
  writer.varint(asOfMs - state.newest.atMs);
  writer.varint(state.newest.offsetMs + DAY_MS);
}

function readLocalDays(reader: ByteReader, asOfMs: number): LocalDays {
  const days = readNewestFirst(reader, { ...DAY_LIST, newest: toDay(asOfMs) + 1 });
  if (days.length === 0) return undefined;
  const newest = { atMs: asOfMs - reader.varint(), offsetMs: reader.varint() - DAY_MS };
  if (toLocalDay(newest) !== days.at(-1)) throw damaged('the newest day is not that of the newest event');
  return { days, newest };
}
