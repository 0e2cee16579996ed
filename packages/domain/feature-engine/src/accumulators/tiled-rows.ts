import { type ByteReader, type ByteWriter, damaged } from '../bytes.js';
import type { MeasuredEvent } from '../streams.js';
import { toFirstTile, toTile } from '../time.js';
import type { Accumulator, Reading } from './accumulator.js';
import { type Ascending, addAscending, dropBelow, type Order, uniteAscending } from './ascending.js';

/** What is kept of the amounts of one tile, under the index of the tile. */
interface TiledRow<Row> {
  readonly tile: number;
  readonly row: Row;
}

/** Ascending by tile; tiles without an amount are absent. Never changed in place. */
export type TiledRows<Row> = Ascending<TiledRow<Row>>;

/** What a kind of row is: a commutative, associative and idempotent summary of amounts. */
export interface RowKind<Row> {
  readonly name: string;
  toRow(units: number, timestampMs: number): Row;
  unite(a: Row, b: Row): Row;
  /** True when a row stays as it is without one of its amounts: none of the row's own is that amount. */
  isInside(row: Row, units: number, timestampMs: number): boolean;
  /** The numbers that features read; as many as there are in `none`. */
  toNumbers(row: Row): readonly number[];
  readonly none: readonly number[];
  write(writer: ByteWriter, row: Row, asOfMs: number): void;
  read(reader: ByteReader, asOfMs: number): Row;
}

export interface TiledRowsOptions {
  /** Key of the measure. */
  readonly key: string;
  /** Indexes of the streams with the amount, and with 1 where there is one. */
  readonly amount: number;
  readonly known: number;
  /** Windows with one tile length, ascending; Infinity alone for the whole life, which is a single tile. */
  readonly windowsMs: readonly number[];
  /** Infinity for the whole life. */
  readonly tileMs: number;
}

/** Rows of a measure by tile. Gives the numbers of the kind once per window, NaN for none. */
export function createTiledRows<Row>(
  kind: RowKind<Row>,
  { key, amount, known, windowsMs, tileMs }: TiledRowsOptions,
): Accumulator<TiledRows<Row>> {
  const reachMs = windowsMs.at(-1) ?? 0;
  const order: Order<TiledRow<Row>> = {
    numberOf: ({ tile }) => tile,
    unite: (a, b) => ({ tile: a.tile, row: kind.unite(a.row, b.row) }),
  };
  const toFirst = (atMs: number, windowMs: number) => toFirstTile(atMs, { windowMs, tileMs });
  const advance = (state: TiledRows<Row>, asOfMs: number) => dropBelow(state, toFirst(asOfMs, reachMs), order);
  return {
    key: `${kind.name}/${tileMs}/${key}`,
    columns: [],
    empty: [],
    add(state, { timestampMs, numbers }: MeasuredEvent, asOfMs) {
      if (numbers[known] === 0) return advance(state, asOfMs);
      const row = kind.toRow(numbers[amount] as number, timestampMs);
      return advance(addAscending(state, { tile: toTile(timestampMs, tileMs), row }, order), asOfMs);
    },
    retract(state, { timestampMs, numbers }, asOfMs) {
      const tile = toTile(timestampMs, tileMs);
      if (numbers[known] === 0 || tile < toFirst(asOfMs, reachMs)) return { state };
      const found = state.find((row) => row.tile === tile);
      const isInside = found !== undefined && kind.isInside(found.row, numbers[amount] as number, timestampMs);
      return isInside ? { state } : undefined;
    },
    advance,
    merge: (a, b) => uniteAscending(a, b, order),
    read(state, atMs): Reading {
      const windows = windowsMs.map((windowMs) => ({ windowMs, first: toFirst(atMs, windowMs) }));
      return readWindows(kind, state, { windows, tileMs });
    },
    adopt: (state) => state,
    encode: (writer, state, asOfMs) => writeRows(writer, state, { kind, newest: toTile(asOfMs, tileMs), asOfMs }),
    decode: (reader, asOfMs) => readRows(reader, { kind, newest: toTile(asOfMs, tileMs), asOfMs }),
    isEstimate: () => false,
  };
}

/** One pass from the newest tile to the oldest, through the windows from the shortest to the longest. */
function readWindows<Row>(
  kind: RowKind<Row>,
  rows: TiledRows<Row>,
  {
    windows,
    tileMs,
  }: { windows: ReadonlyArray<{ readonly windowMs: number; readonly first: number }>; tileMs: number },
): Reading {
  let changesAtMs = Number.POSITIVE_INFINITY;
  let place = rows.length - 1;
  let united: TiledRow<Row> | undefined;
  const numbers = windows.flatMap(({ windowMs, first }) => {
    for (; place >= 0; place -= 1) {
      const { tile, row } = rows[place] as TiledRow<Row>;
      if (tile < first) break;
      united = { tile, row: united === undefined ? row : kind.unite(united.row, row) };
    }
    if (united === undefined) return kind.none;
    changesAtMs = Math.min(changesAtMs, (united.tile + 1) * tileMs + windowMs);
    return kind.toNumbers(united.row);
  });
  return { numbers, changesAtMs };
}

interface Coding<Row> {
  readonly kind: RowKind<Row>;
  readonly newest: number;
  readonly asOfMs: number;
}

/** Newest first, each tile as its distance from the one after. */
function writeRows<Row>(writer: ByteWriter, rows: TiledRows<Row>, { kind, newest, asOfMs }: Coding<Row>): void {
  writer.varint(rows.length);
  let expected = newest;
  for (let place = rows.length - 1; place >= 0; place -= 1) {
    const { tile, row } = rows[place] as TiledRow<Row>;
    writer.varint(expected - tile);
    kind.write(writer, row, asOfMs);
    expected = tile - 1;
  }
}

function readRows<Row>(reader: ByteReader, { kind, newest, asOfMs }: Coding<Row>): TiledRows<Row> {
  const rows: Array<TiledRow<Row>> = [];
  let expected = newest;
  for (let left = reader.count(3); left > 0; left -= 1) {
    const tile = expected - reader.varint();
    if (!Number.isSafeInteger(tile)) throw damaged('a tile is too early');
    rows.push({ tile, row: kind.read(reader, asOfMs) });
    expected = tile - 1;
  }
  return rows.reverse();
}
