import type { ByteReader, ByteWriter } from '../bytes.js';
import type { MeasuredEvent } from '../streams.js';
import type { Accumulator, Reading } from './accumulator.js';
import { addAscending, dropBelow, uniteAscending } from './ascending.js';
import { areSameColumns, mapColumns, readColumns, writeColumns } from './columns.js';
import { createBlankTile, TILE_ORDER, type Tile, type TileSeries } from './tile-series.js';

export interface TilesOptions {
  readonly streams: ReadonlyArray<{ readonly index: number; readonly key: string }>;
  /** Windows with one tile length, ascending, with the columns that features need of each. */
  readonly windows: ReadonlyArray<{ readonly windowMs: number; readonly columns: readonly number[] }>;
  readonly tileMs: number;
}

/**
 * Sums of streams within windows, kept by tile: the cost of a window is its number of tiles, not its number of events.
 * Gives one number per window and column: `numbers[window * columns + column]`.
 */
export function createTiles({ streams, windows, tileMs }: TilesOptions): Accumulator<TileSeries> {
  const columns = streams.map(({ key }) => key);
  const indexes = streams.map(({ index }) => index);
  const blank = createBlankTile(columns.length);
  const reachMs = windows.at(-1)?.windowMs ?? 0;
  const toFirst = (asOfMs: number) => Math.floor((asOfMs - reachMs) / tileMs);
  const advance = (state: TileSeries, asOfMs: number) => dropBelow(state, toFirst(asOfMs), TILE_ORDER);
  return {
    key: `tiles/${tileMs}`,
    columns,
    empty: [],
    add(state, event, asOfMs) {
      const first = toFirst(asOfMs);
      const index = Math.floor(event.timestampMs / tileMs);
      const tile = index < first ? undefined : toTile(blank, event, { index, streams: indexes });
      return dropBelow(tile === undefined ? state : addAscending(state, tile, TILE_ORDER), first, TILE_ORDER);
    },
    retract(state, event, asOfMs) {
      const index = Math.floor(event.timestampMs / tileMs);
      const tile = index < toFirst(asOfMs) ? undefined : toTile(blank, event, { index, streams: indexes });
      if (tile === undefined) return { state };
      const negative = tile.map((value, at) => (at === 0 ? value : 0 - value)) as unknown as Tile;
      return { state: addAscending(state, negative, TILE_ORDER).filter(isNotEmpty) };
    },
    advance,
    merge: (a, b) => uniteAscending(a, b, TILE_ORDER),
    read: (state, atMs) => sumWindows(state, atMs, { windows, tileMs, columns: columns.length }),
    adopt(state, from) {
      if (areSameColumns(from, columns)) return state;
      const places = mapColumns(from, columns);
      const adopted = state.map(
        (tile): Tile => [tile[0], ...places.map((at) => (at < 0 ? 0 : (tile[at + 1] as number)))],
      );
      return adopted.filter(isNotEmpty);
    },
    encode: (writer, state, asOfMs) => writeTiles(writer, state, Math.floor(asOfMs / tileMs)),
    decode: (reader, asOfMs) => readTiles(reader, blank, Math.floor(asOfMs / tileMs)),
    isEstimate: () => false,
  };
}

function isNotEmpty(tile: Tile): boolean {
  return tile.some((sum, at) => at > 0 && sum !== 0);
}

/** Undefined for an event that belongs to none of the streams. */
function toTile(
  blank: Tile,
  { numbers }: MeasuredEvent,
  { index, streams }: { index: number; streams: readonly number[] },
): Tile | undefined {
  const tile = blank.slice() as [number, ...number[]];
  tile[0] = index;
  let isEmpty = true;
  for (let column = 0; column < streams.length; column += 1) {
    const value = numbers[streams[column] as number] as number;
    if (value === 0) continue;
    tile[column + 1] = value;
    isEmpty = false;
  }
  return isEmpty ? undefined : tile;
}

/** One pass from the newest tile to the oldest, through the windows from the shortest to the longest. */
function sumWindows(
  tiles: TileSeries,
  atMs: number,
  { windows, tileMs, columns }: { windows: TilesOptions['windows']; tileMs: number; columns: number },
): Reading {
  const sums = new Array<number>(columns).fill(0);
  const oldest = new Array<number>(columns).fill(Number.POSITIVE_INFINITY);
  const numbers = new Array<number>(windows.length * columns);
  let changesAtMs = Number.POSITIVE_INFINITY;
  let place = tiles.length - 1;
  for (let w = 0; w < windows.length; w += 1) {
    const window = windows[w] as TilesOptions['windows'][number];
    const first = Math.floor((atMs - window.windowMs) / tileMs);
    for (; place >= 0; place -= 1) {
      const tile = tiles[place] as Tile;
      if (tile[0] < first) break;
      for (let column = 0; column < columns; column += 1) {
        const value = tile[column + 1] as number;
        if (value === 0) continue;
        sums[column] = (sums[column] as number) + value;
        oldest[column] = tile[0];
      }
    }
    for (let column = 0; column < columns; column += 1) numbers[w * columns + column] = sums[column] as number;
    for (const column of window.columns) {
      changesAtMs = Math.min(changesAtMs, ((oldest[column] as number) + 1) * tileMs + window.windowMs);
    }
  }
  return { numbers, changesAtMs };
}

/** Newest first, each index as its distance from the previous one; omitted for an adjacent tile. */
function writeTiles(writer: ByteWriter, tiles: TileSeries, newest: number): void {
  writer.varint(tiles.length);
  let expected = newest;
  for (let place = tiles.length - 1; place >= 0; place -= 1) {
    const tile = tiles[place] as Tile;
    const gap = expected - tile[0];
    if (gap > 0) writer.varint(2 * gap + 1);
    writeColumns(writer, tile, 1);
    expected = tile[0] - 1;
  }
}

function readTiles(reader: ByteReader, blank: Tile, newest: number): TileSeries {
  const tiles: Tile[] = [];
  let expected = newest;
  for (let left = reader.count(1); left > 0; left -= 1) {
    let head = reader.varint();
    if (head % 2 === 1) {
      expected -= Math.floor(head / 2);
      head = reader.varint();
    }
    const tile = blank.slice() as [number, ...number[]];
    tile[0] = expected;
    readColumns(reader, tile, { head, from: 1 });
    tiles.push(tile);
    expected -= 1;
  }
  return tiles.reverse();
}
