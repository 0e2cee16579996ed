import { type ByteReader, type ByteWriter, damaged } from '../bytes.js';
import { toHash64 } from '../hash.js';
import { findStamp } from '../stamped-hashes.js';
import { readHashes, writeHashes } from '../stamped-hashes-codec.js';
import type { IdStream } from '../streams.js';
import { toFirstTile, toTile } from '../time.js';
import type { Accumulator, Reading } from './accumulator.js';
import {
  addIds,
  countIds,
  type DistinctSketch,
  dropIdsBefore,
  EMPTY_SKETCH,
  mergeSketches,
} from './distinct-sketch.js';

export interface DistinctOptions {
  readonly stream: IdStream;
  readonly index: number;
  /** Windows with one tile length, ascending; Infinity alone for the whole life, which is a single tile. */
  readonly windowsMs: readonly number[];
  /** Infinity for the whole life. */
  readonly tileMs: number;
}

/** Distinct ids of a stream within windows, each with the tile in which it was last seen. One count per window. */
export function createDistinct({ stream, index, windowsMs, tileMs }: DistinctOptions): Accumulator<DistinctSketch> {
  const reachMs = windowsMs.at(-1) ?? 0;
  const advance = (state: DistinctSketch, asOfMs: number) =>
    dropIdsBefore(state, toFirstTile(asOfMs, { windowMs: reachMs, tileMs }));
  return {
    key: `distinct/${tileMs}/${stream.key}`,
    columns: [],
    empty: EMPTY_SKETCH,
    add(state, event, asOfMs) {
      // Expired ids are dropped first, so that only ids within the window count towards the exact limit.
      const kept = advance(state, asOfMs);
      const ids = event.ids[index] ?? [];
      const tile = toTile(event.timestampMs, tileMs);
      const isKept = ids.length > 0 && tile >= toFirstTile(asOfMs, { windowMs: reachMs, tileMs });
      return isKept ? addIds(kept, ids.map(toHash64), tile) : kept;
    },
    retract(state, event, asOfMs) {
      const tile = toTile(event.timestampMs, tileMs);
      if (tile < toFirstTile(asOfMs, { windowMs: reachMs, tileMs })) return { state };
      const isSeenLater = (id: string) => (findStamp(state.seen, toHash64(id)) ?? Number.NEGATIVE_INFINITY) > tile;
      // Of an id only the last tile is kept: whether it was seen before, or twice in that tile, is not known.
      return (event.ids[index] ?? []).every(isSeenLater) ? { state } : undefined;
    },
    advance,
    merge: mergeSketches,
    read: (state, atMs) => countWindows(state, atMs, { windowsMs, tileMs }),
    adopt: (state) => state,
    encode: (writer, state, asOfMs) => writeSketch(writer, state, toTile(asOfMs, tileMs)),
    decode: (reader, asOfMs) => readSketch(reader, toTile(asOfMs, tileMs)),
    isEstimate: ({ theta }) => theta !== undefined,
  };
}

function countWindows(
  state: DistinctSketch,
  atMs: number,
  { windowsMs, tileMs }: Pick<DistinctOptions, 'windowsMs' | 'tileMs'>,
): Reading {
  let changesAtMs = Number.POSITIVE_INFINITY;
  const numbers = windowsMs.map((windowMs) => {
    const { count, oldestTile } = countIds(state, toFirstTile(atMs, { windowMs, tileMs }));
    changesAtMs = Math.min(changesAtMs, (oldestTile + 1) * tileMs + windowMs);
    return count;
  });
  return { numbers, changesAtMs };
}

function writeSketch(writer: ByteWriter, sketch: DistinctSketch, newest: number): void {
  writer.varint(sketch.theta === undefined ? 0 : 1);
  if (sketch.theta !== undefined) {
    writer.uint32(sketch.theta.high);
    writer.uint32(sketch.theta.low);
    writer.varint(newest - sketch.sampledOutTile);
  }
  writeHashes(writer, sketch.seen, newest);
}

function readSketch(reader: ByteReader, newest: number): DistinctSketch {
  const kind = reader.varint();
  if (kind > 1) throw damaged('unknown kind of distinct sketch');
  const theta = kind === 1 ? { high: reader.uint32(), low: reader.uint32() } : undefined;
  const sampledOutTile = kind === 1 ? newest - reader.varint() : 0;
  return { theta, sampledOutTile, seen: readHashes(reader, newest) };
}
