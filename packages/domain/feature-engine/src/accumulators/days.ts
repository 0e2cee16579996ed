import { type ByteReader, type ByteWriter, damaged } from '../bytes.js';
import type { NumberStream } from '../streams.js';
import { DAY_MS } from '../time.js';
import type { Accumulator, Reading } from './accumulator.js';

/** Days (UTC) with an event, as days since 1970, ascending and each once. Never changed in place. */
export type Days = readonly number[];

/** The newest days are kept up to this number, 11 years of them: a feature without a window counts no more. */
export const ACTIVE_DAYS_MAX = 4_096;

export interface DaysOptions {
  readonly stream: NumberStream;
  readonly index: number;
  /** Ascending; Infinity for the whole life. */
  readonly windowsMs: readonly number[];
}

/** The days with an event of a stream. Gives one count per window. */
export function createDays({ stream, index, windowsMs }: DaysOptions): Accumulator<Days> {
  const reachMs = windowsMs.at(-1) ?? 0;
  const advance = (state: Days, asOfMs: number) => dropBefore(state, toFirstDay(asOfMs, reachMs));
  return {
    key: `days/${stream.key}`,
    columns: [],
    empty: [],
    add(state, { timestampMs, numbers }, asOfMs) {
      if (numbers[index] === 0) return advance(state, asOfMs);
      return advance(addDay(state, Math.floor(timestampMs / DAY_MS)), asOfMs);
    },
    advance,
    merge: uniteDays,
    read: (state, atMs) => countWindows(state, atMs, windowsMs),
    adopt: (state) => state,
    encode: (writer, state, asOfMs) => writeDays(writer, state, Math.floor(asOfMs / DAY_MS)),
    decode: (reader, asOfMs) => readDays(reader, Math.floor(asOfMs / DAY_MS)),
    isEstimate: () => false,
  };
}

function toFirstDay(atMs: number, windowMs: number): number {
  return Math.floor((atMs - windowMs) / DAY_MS);
}

function addDay(days: Days, day: number): Days {
  // Most events are of the newest day.
  let place = days.length;
  while (place > 0 && (days[place - 1] as number) > day) place -= 1;
  if (days[place - 1] === day) return days;
  return takeNewest([...days.slice(0, place), day, ...days.slice(place)]);
}

function uniteDays(a: Days, b: Days): Days {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  return takeNewest([...new Set([...a, ...b])].sort((x, y) => x - y));
}

function takeNewest(days: Days): Days {
  return days.length > ACTIVE_DAYS_MAX ? days.slice(-ACTIVE_DAYS_MAX) : days;
}

function dropBefore(days: Days, first: number): Days {
  let place = 0;
  while (place < days.length && (days[place] as number) < first) place += 1;
  return place === 0 ? days : days.slice(place);
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

/** Newest first, each as its distance from the day after the previous one. */
function writeDays(writer: ByteWriter, days: Days, newest: number): void {
  writer.varint(days.length);
  let expected = newest;
  for (let place = days.length - 1; place >= 0; place -= 1) {
    const day = days[place] as number;
    writer.varint(expected - day);
    expected = day - 1;
  }
}

function readDays(reader: ByteReader, newest: number): Days {
  const days: number[] = [];
  let expected = newest;
  for (let left = reader.count(1); left > 0; left -= 1) {
    const day = expected - reader.varint();
    if (!Number.isSafeInteger(day)) throw damaged('a day is too early');
    days.push(day);
    expected = day - 1;
  }
  if (days.length > ACTIVE_DAYS_MAX) throw damaged('more days than are kept');
  return days.reverse();
}
