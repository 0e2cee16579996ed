import { type ByteReader, type ByteWriter, damaged } from '../bytes.js';
import type { IdStream, MeasuredEvent } from '../streams.js';
import { toFirstTile, toTile } from '../time.js';
import type { Accumulator, IdCount, Reading, Retracted } from './accumulator.js';
import { type Ascending, addAscending, dropBelow, type Order, uniteAscending } from './ascending.js';
import { type Cell, createCellReader, createCellWriter, toCells, uniteCells } from './kept-ids.js';

/** The ids of one tile with their counts. */
interface TopsTile {
  readonly tile: number;
  readonly cells: readonly Cell[];
}

/** Ascending by tile; tiles without an id are absent. Never changed in place. */
export type Tops = Ascending<TopsTile>;

/**
 * Maximum pairs of id and tile. Kept are the first in this order: newest tile first, within a tile by hash. An event moves no
 * pair forward in it, so one that is beyond the limit never comes back with too small a count: what is kept is the same
 * in any order of events and merges.
 */
export const TOP_CELLS_MAX = 1_024;

/** Ranks that a feature may ask for. */
export const TOP_RANKS_MAX = 5;

/** Numbers of a window: counts by rank, of all ids, and the entropy. */
export const TOP_NUMBERS = { rank: 0, total: TOP_RANKS_MAX, entropy: TOP_RANKS_MAX + 1, all: TOP_RANKS_MAX + 2 };

const ORDER: Order<TopsTile> = {
  numberOf: ({ tile }) => tile,
  unite: (a, b) => ({ tile: a.tile, cells: uniteCells(a.cells, b.cells) }),
};

export interface TopsOptions {
  readonly stream: IdStream;
  readonly index: number;
  /** Windows with one tile length, ascending; Infinity alone for the whole life, which is a single tile. */
  readonly windowsMs: readonly number[];
  /** Infinity for the whole life. */
  readonly tileMs: number;
}

/** How often each id of a stream occurred within windows. Gives `TOP_NUMBERS` once per window. */
export function createTops({ stream, index, windowsMs, tileMs }: TopsOptions): Accumulator<Tops> {
  const reachMs = windowsMs.at(-1) ?? 0;
  const toFirst = (atMs: number, windowMs: number) => toFirstTile(atMs, { windowMs, tileMs });
  const advance = (state: Tops, asOfMs: number) => dropBelow(state, toFirst(asOfMs, reachMs), ORDER);
  const count = (state: Tops, atMs: number) =>
    countWindows(
      state,
      windowsMs.map((windowMs) => toFirst(atMs, windowMs)),
    );
  return {
    key: `tops/${tileMs}/${stream.key}`,
    columns: [],
    empty: [],
    add(state, event, asOfMs) {
      const { timestampMs } = event;
      const own = idsOf(event, index);
      if (own.length === 0) return advance(state, asOfMs);
      const tile = { tile: toTile(timestampMs, tileMs), cells: toCells(own) };
      return limit(advance(addAscending(state, tile, ORDER), asOfMs));
    },
    retract(state, event, asOfMs) {
      const tile = toTile(event.timestampMs, tileMs);
      const own = idsOf(event, index);
      if (own.length === 0 || tile < toFirst(asOfMs, reachMs)) return { state };
      return retractCells(state, { tile, cells: toCells(own) });
    },
    advance,
    merge: (a, b) => limit(uniteAscending(a, b, ORDER)),
    read(state, atMs): Reading {
      let changesAtMs = Number.POSITIVE_INFINITY;
      const numbers = count(state, atMs).flatMap(({ counts, oldest }, window) => {
        if (oldest !== undefined) {
          changesAtMs = Math.min(changesAtMs, (oldest + 1) * tileMs + (windowsMs[window] as number));
        }
        return toNumbers(counts);
      });
      return { numbers, changesAtMs };
    },
    tops: (state, atMs) => count(state, atMs).map(({ counts }) => toGreatest(counts)),
    adopt: (state) => state,
    encode: (writer, state, asOfMs) => writeTops(writer, state, toTile(asOfMs, tileMs)),
    decode: (reader, asOfMs) => readTops(reader, toTile(asOfMs, tileMs)),
    isEstimate: (state) => countCells(state) === TOP_CELLS_MAX,
  };
}

function countCells(tops: Tops): number {
  return tops.reduce((sum, { cells }) => sum + cells.length, 0);
}

/** The ids of an event that counts; those of an order that is only completed were counted when it first came. */
function idsOf({ ids, isCompletion }: MeasuredEvent, index: number): readonly string[] {
  return isCompletion ? [] : (ids[index] ?? []);
}

/** What was beyond the limit would move up if a pair were taken away: it is not known. */
function retractCells(tops: Tops, { tile, cells }: TopsTile): Retracted<Tops> | undefined {
  const isFull = countCells(tops) === TOP_CELLS_MAX;
  const found = tops.find((one) => one.tile === tile)?.cells ?? [];
  const left = new Map(found.map((cell) => [cell.id, cell]));
  for (const { id, count } of cells) {
    const cell = left.get(id);
    const rest = (cell?.count ?? 0) - count;
    if (cell === undefined && isFull) continue;
    if (cell === undefined || rest < 0 || (rest === 0 && isFull)) return undefined;
    if (rest === 0) left.delete(id);
    else left.set(id, { ...cell, count: rest });
  }
  const after = tops.map((one) => (one.tile === tile ? { tile, cells: [...left.values()] } : one));
  return { state: after.filter((one) => one.cells.length > 0) };
}

function limit(tops: Tops): Tops {
  let left = TOP_CELLS_MAX;
  for (let place = tops.length - 1; place >= 0; place -= 1) {
    const { tile, cells } = tops[place] as TopsTile;
    if (cells.length > left) {
      const newer = tops.slice(place + 1);
      return left === 0 ? newer : [{ tile, cells: cells.slice(0, left) }, ...newer];
    }
    left -= cells.length;
  }
  return tops;
}

interface Counted {
  readonly counts: ReadonlyMap<string, number>;
  /** Oldest tile with an id; undefined without one. */
  readonly oldest: number | undefined;
}

/** One pass from the newest tile to the oldest, through the windows from the shortest to the longest. */
function countWindows(tops: Tops, firsts: readonly number[]): Counted[] {
  const counts = new Map<string, number>();
  let place = tops.length;
  return firsts.map((first, window) => {
    while (place > 0 && (tops[place - 1] as TopsTile).tile >= first) {
      place -= 1;
      for (const { id, count } of (tops[place] as TopsTile).cells) counts.set(id, (counts.get(id) ?? 0) + count);
    }
    return { counts: window === firsts.length - 1 ? counts : new Map(counts), oldest: tops[place]?.tile };
  });
}

/** Sorted first: the rounding of the entropy must not depend on the order of the ids. Typed: it needs no comparing function. */
function toNumbers(counts: ReadonlyMap<string, number>): number[] {
  const sorted = Float64Array.from(counts.values()).sort();
  const total = sorted.reduce((sum, count) => sum + count, 0);
  const numbers = Array.from({ length: TOP_RANKS_MAX }, (_, rank) => sorted[sorted.length - 1 - rank] ?? 0);
  return [...numbers, total, total === 0 ? Number.NaN : toEntropy(sorted, total)];
}

/** Shannon's, in bits. No term is negative, so nothing is lost where one id has nearly all. */
function toEntropy(sorted: Float64Array, total: number): number {
  let entropy = 0;
  for (let place = sorted.length - 1; place >= 0; place -= 1) {
    const count = sorted[place] as number;
    entropy += (count / total) * Math.log2(total / count);
  }
  return entropy;
}

function toGreatest(counts: ReadonlyMap<string, number>): readonly IdCount[] {
  const all = [...counts].map(([id, count]): IdCount => ({ id, count }));
  return all.sort((a, b) => b.count - a.count || (a.id < b.id ? -1 : 1)).slice(0, TOP_RANKS_MAX);
}

/** Newest first, each tile as its distance from the one after. */
function writeTops(writer: ByteWriter, tops: Tops, newest: number): void {
  const writeCells = createCellWriter(writer);
  writer.varint(tops.length);
  let expected = newest;
  for (let place = tops.length - 1; place >= 0; place -= 1) {
    const { tile, cells } = tops[place] as TopsTile;
    writer.varint(expected - tile);
    writeCells(cells);
    expected = tile - 1;
  }
}

function readTops(reader: ByteReader, newest: number): Tops {
  const readCells = createCellReader(reader);
  const tops: TopsTile[] = [];
  let expected = newest;
  for (let left = reader.count(2); left > 0; left -= 1) {
    const tile = expected - reader.varint();
    if (!Number.isSafeInteger(tile)) throw damaged('a tile is too early');
    tops.push({ tile, cells: readCells() });
    expected = tile - 1;
  }
  if (countCells(tops) > TOP_CELLS_MAX) throw damaged('more ids than are kept');
  return tops.reverse();
}
