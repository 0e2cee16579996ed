import { toDeviation } from '../deviation.js';
import type { NumberStream } from '../streams.js';
import type { Accumulator, Reading } from './accumulator.js';
import { type NumberList, readNewestFirst, writeNewestFirst } from './newest-first.js';

/** Times of the newest events, ascending, one an event also where they are equal. Never changed in place. */
export type RecentTimes = readonly number[];

/** The newest events are kept up to this number. */
export const RECENT_TIMES_MAX = 512;

const TIMES: NumberList = { noun: 'time', apart: 0, lengthMax: RECENT_TIMES_MAX };

/** Times of the newest events of a stream. Gives the population standard deviation of the gaps in ms, NaN for no gap. */
export function createRecentTimes(stream: NumberStream, index: number): Accumulator<RecentTimes> {
  return {
    key: `recent/${stream.key}`,
    columns: [],
    empty: [],
    add: (state, { timestampMs, numbers }) => (numbers[index] === 0 ? state : addTime(state, timestampMs)),
    advance: (state) => state,
    merge: unite,
    read: (state): Reading => ({ numbers: [toGapDeviation(state)], changesAtMs: Number.POSITIVE_INFINITY }),
    adopt: (state) => state,
    encode: (writer, state, asOfMs) => writeNewestFirst(writer, state, { ...TIMES, newest: asOfMs }),
    decode: (reader, asOfMs) => readNewestFirst(reader, { ...TIMES, newest: asOfMs }),
    isEstimate: () => false,
  };
}

/** Most events are the newest: sorting instead took four times as long. */
function addTime(times: RecentTimes, timeMs: number): RecentTimes {
  let place = times.length;
  while (place > 0 && (times[place - 1] as number) > timeMs) place -= 1;
  if (place === 0 && times.length === RECENT_TIMES_MAX) return times;
  const after = times.slice(times.length === RECENT_TIMES_MAX ? 1 : 0);
  after.splice(place - (times.length - after.length), 0, timeMs);
  return after;
}

function unite(a: RecentTimes, b: RecentTimes): RecentTimes {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  return [...a, ...b].sort((x, y) => x - y).slice(-RECENT_TIMES_MAX);
}

/** Whole numbers up to the root, so that equal gaps deviate by 0 and no difference is lost. */
function toGapDeviation(times: RecentTimes): number {
  const gaps = times.length - 1;
  if (gaps < 1) return Number.NaN;
  let squares = 0n;
  for (let place = 0; place < gaps; place += 1) {
    const gap = BigInt((times[place + 1] as number) - (times[place] as number));
    squares += gap * gap;
  }
  const sum = BigInt((times[gaps] as number) - (times[0] as number));
  return toDeviation({ count: gaps, sum, squares });
}
