import type { ByteReader, ByteWriter } from '../bytes.js';
import type { MeasuredEvent } from '../streams.js';
import type { Accumulator, Reading } from './accumulator.js';
import { areSameColumns, mapColumns, readColumns, writeColumns } from './columns.js';

/** One sum per column. */
export type Totals = readonly number[];

/** Sums over a profile's whole life. Exact while below 2^53. */
export function createTotals(
  streams: ReadonlyArray<{ readonly index: number; readonly key: string }>,
): Accumulator<Totals> {
  const columns = streams.map(({ key }) => key);
  const indexes = streams.map(({ index }) => index);
  const zeros = columns.map(() => 0);
  return {
    key: 'totals',
    columns,
    empty: zeros,
    add: (state, event) => addRow(state, event, indexes),
    retract: (state, event) => ({ state: subtractRow(state, event, indexes) }),
    advance: (state) => state,
    merge: (a, b) => a.map((sum, column) => sum + (b[column] as number)),
    read: (state): Reading => ({ numbers: state, changesAtMs: Number.POSITIVE_INFINITY }),
    adopt(state, from) {
      if (areSameColumns(from, columns)) return state;
      return mapColumns(from, columns).map((at) => state[at] ?? 0);
    },
    encode: (writer: ByteWriter, state) => writeColumns(writer, state, 0),
    decode(reader: ByteReader) {
      const sums = zeros.slice();
      readColumns(reader, sums, { head: reader.varint(), from: 0 });
      return sums;
    },
    isEstimate: () => false,
  };
}

function addRow(state: Totals, event: MeasuredEvent, indexes: readonly number[]): Totals {
  const after = state.slice();
  for (let column = 0; column < indexes.length; column += 1) {
    after[column] = (after[column] as number) + (event.numbers[indexes[column] as number] as number);
  }
  return after;
}

function subtractRow(state: Totals, event: MeasuredEvent, indexes: readonly number[]): Totals {
  return state.map((sum, column) => sum - (event.numbers[indexes[column] as number] as number));
}
