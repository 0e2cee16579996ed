import { type ByteReader, type ByteWriter, damaged } from '../bytes.js';
import type { NumberStream } from '../streams.js';
import { toFirstTile } from '../time.js';
import type { Accumulator, Reading } from './accumulator.js';
import { type Ascending, addAscending, dropBelow, type Order, uniteAscending } from './ascending.js';

/** Times of the first and the last event of a short stretch of time, under the index of the stretch. */
interface Stretch {
  readonly index: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Ascending by index; stretches without events are absent. Never changed in place. */
export type Stretches = Ascending<Stretch>;

/** Maximum stretches; the newest are kept. An event adds a stretch or none, so which these are does not depend on order. */
export const STRETCHES_MAX = 2_048;

const ORDER: Order<Stretch> = {
  numberOf: ({ index }) => index,
  unite: (a, b) => ({
    index: a.index,
    firstMs: Math.min(a.firstMs, b.firstMs),
    lastMs: Math.max(a.lastMs, b.lastMs),
  }),
};

export interface SessionsOptions {
  readonly stream: NumberStream;
  readonly index: number;
  /** Windows with one tile length, ascending. */
  readonly windowsMs: readonly number[];
  readonly tileMs: number;
  /** Events that are no further apart belong to one session. */
  readonly gapMs: number;
}

/**
 * Sessions of a stream within windows. A stretch is no longer than the gap, so all its events are of one session, and first
 * and last are all that is needed; tiles are whole numbers of stretches, so a window begins with one. Gives two numbers
 * per window: sessions, and the length of all together in ms.
 */
export function createSessions({ stream, index, windowsMs, tileMs, gapMs }: SessionsOptions): Accumulator<Stretches> {
  const stretchMs = toStretchMs(tileMs, gapMs);
  const reachMs = windowsMs.at(-1) ?? 0;
  const toFirst = (atMs: number, windowMs: number) =>
    Math.round((toFirstTile(atMs, { windowMs, tileMs }) * tileMs) / stretchMs);
  const advance = (state: Stretches, asOfMs: number) => dropBelow(state, toFirst(asOfMs, reachMs), ORDER);
  const toIndex = (timeMs: number) => Math.floor(timeMs / stretchMs);
  return {
    key: `sessions/${tileMs}/${gapMs}/${stream.key}`,
    columns: [],
    empty: [],
    add(state, { timestampMs, numbers }, asOfMs) {
      if (numbers[index] === 0) return advance(state, asOfMs);
      const stretch = { index: toIndex(timestampMs), firstMs: timestampMs, lastMs: timestampMs };
      return takeNewest(advance(addAscending(state, stretch, ORDER), asOfMs));
    },
    retract(state, { timestampMs, numbers }, asOfMs) {
      const place = toIndex(timestampMs);
      if (numbers[index] === 0 || place < toFirst(asOfMs, reachMs)) return { state };
      if (state.length === STRETCHES_MAX && place < (state[0] as Stretch).index) return { state };
      const found = state.find((stretch) => stretch.index === place);
      // Which event is the first or the last of its stretch without this one is not known.
      const isInside = found !== undefined && found.firstMs < timestampMs && timestampMs < found.lastMs;
      return isInside ? { state } : undefined;
    },
    advance,
    merge: (a, b) => takeNewest(uniteAscending(a, b, ORDER)),
    read(state, atMs) {
      const windows = windowsMs.map((windowMs) => ({ windowMs, first: toFirst(atMs, windowMs) }));
      return countSessions(state, {
        windows,
        gapMs,
        toTileEnd: (timeMs) => (Math.floor(timeMs / tileMs) + 1) * tileMs,
      });
    },
    adopt: (state) => state,
    encode: (writer, state, asOfMs) => writeStretches(writer, state, { newest: toIndex(asOfMs), stretchMs }),
    decode: (reader, asOfMs) => readStretches(reader, { newest: toIndex(asOfMs), stretchMs }),
    isEstimate: (state) => state.length === STRETCHES_MAX,
  };
}

/** The greatest length that is no longer than the gap and divides a tile. */
function toStretchMs(tileMs: number, gapMs: number): number {
  let parts = Math.max(1, Math.ceil(tileMs / gapMs));
  while (tileMs % parts !== 0) parts += 1;
  return tileMs / parts;
}

function takeNewest(stretches: Stretches): Stretches {
  return stretches.length > STRETCHES_MAX ? stretches.slice(-STRETCHES_MAX) : stretches;
}

interface Count {
  readonly windows: ReadonlyArray<{ readonly windowMs: number; readonly first: number }>;
  readonly gapMs: number;
  /** End of the tile that a time lies in. */
  readonly toTileEnd: (timeMs: number) => number;
}

/** One pass from the newest stretch to the oldest, through the windows from the shortest to the longest. */
function countSessions(stretches: Stretches, { windows, gapMs, toTileEnd }: Count): Reading {
  let changesAtMs = Number.POSITIVE_INFINITY;
  let place = stretches.length;
  let [sessions, lengthMs] = [0, 0];
  const numbers = windows.flatMap(({ windowMs, first }) => {
    for (; place > 0; place -= 1) {
      const stretch = stretches[place - 1] as Stretch;
      if (stretch.index < first) break;
      const apartMs = (stretches[place]?.firstMs ?? Number.POSITIVE_INFINITY) - stretch.lastMs;
      if (apartMs > gapMs) sessions += 1;
      lengthMs += stretch.lastMs - stretch.firstMs + (apartMs > gapMs ? 0 : apartMs);
    }
    const oldest = stretches[place];
    if (oldest !== undefined) changesAtMs = Math.min(changesAtMs, toTileEnd(oldest.firstMs) + windowMs);
    return [sessions, lengthMs];
  });
  return { numbers, changesAtMs };
}

interface Coding {
  readonly newest: number;
  readonly stretchMs: number;
}

/** Newest first, each index as its distance from the one after, times as distances from the end of the stretch. */
function writeStretches(writer: ByteWriter, stretches: Stretches, { newest, stretchMs }: Coding): void {
  writer.varint(stretches.length);
  let expected = newest;
  for (let place = stretches.length - 1; place >= 0; place -= 1) {
    const { index, firstMs, lastMs } = stretches[place] as Stretch;
    writer.varint(expected - index);
    writer.varint((index + 1) * stretchMs - 1 - lastMs);
    writer.varint(lastMs - firstMs);
    expected = index - 1;
  }
}

function readStretches(reader: ByteReader, { newest, stretchMs }: Coding): Stretches {
  const stretches: Stretch[] = [];
  let expected = newest;
  for (let left = reader.count(3); left > 0; left -= 1) {
    const index = expected - reader.varint();
    const lastMs = (index + 1) * stretchMs - 1 - reader.varint();
    const firstMs = lastMs - reader.varint();
    if (!Number.isSafeInteger(lastMs) || firstMs < index * stretchMs) throw damaged('a time is too early');
    stretches.push({ index, firstMs, lastMs });
    expected = index - 1;
  }
  if (stretches.length > STRETCHES_MAX) throw damaged('more sessions than are kept');
  return stretches.reverse();
}
