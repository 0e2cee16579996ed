import type { NumberStream } from '../streams.js';
import type { Accumulator, Reading } from './accumulator.js';
import { type GapMeasure, measureGaps } from './gaps.js';
import { type NumberList, readNewestFirst, writeNewestFirst } from './newest-first.js';

/** Times of the newest events, ascending, one an event also where they are equal. Never changed in place. */
export type RecentTimes = readonly number[];

/** The newest events are kept up to this number. */
export const RECENT_TIMES_MAX = 512;

const TIMES: NumberList = { noun: 'time', apart: 0, lengthMax: RECENT_TIMES_MAX };

export interface RecentTimesOptions {
  readonly stream: NumberStream;
  readonly index: number;
  readonly measures: readonly GapMeasure[];
}

/** Times of the newest events of a stream. Gives one number per measure of the gaps between them, NaN for none. */
export function createRecentTimes({ stream, index, measures }: RecentTimesOptions): Accumulator<RecentTimes> {
  return {
    key: `recent/${stream.key}`,
    columns: [],
    empty: [],
    add: (state, { timestampMs, numbers }) => (numbers[index] === 0 ? state : addTime(state, timestampMs)),
    retract(state, { timestampMs, numbers }) {
      if (numbers[index] === 0) return { state };
      const isFull = state.length === RECENT_TIMES_MAX;
      if (isFull && timestampMs < (state[0] as number)) return { state };
      const place = state.indexOf(timestampMs);
      // Which event would be the oldest of a full list without this one is not known.
      return isFull || place < 0 ? undefined : { state: state.toSpliced(place, 1) };
    },
    advance: (state) => state,
    merge: unite,
    read: (state): Reading => ({
      numbers: measureGaps(state, measures),
      changesAtMs: Number.POSITIVE_INFINITY,
    }),
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
