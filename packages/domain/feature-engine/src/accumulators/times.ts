import type { ByteReader, ByteWriter } from '../bytes.js';
import type { NumberStream } from '../streams.js';
import type { Accumulator, Reading } from './accumulator.js';

/** Times of the first and the last event; undefined before the first. */
export type Times = { readonly firstMs: number; readonly lastMs: number } | undefined;

const NEVER: Reading = { numbers: [Number.NaN, Number.NaN], changesAtMs: Number.POSITIVE_INFINITY };

/** Times of the earliest and the latest event of a stream, by event time. Gives [first, last], NaN for none. */
export function createTimes(stream: NumberStream, index: number): Accumulator<Times> {
  return {
    key: `times/${stream.key}`,
    columns: [],
    empty: undefined,
    add(state, { timestampMs, numbers }) {
      if (numbers[index] === 0) return state;
      return unite(state, { firstMs: timestampMs, lastMs: timestampMs });
    },
    retract(state, { timestampMs, numbers }) {
      if (numbers[index] === 0) return { state };
      // Whether another event has the first or the last time too is not known, nor which is the next.
      const isInside = state !== undefined && state.firstMs < timestampMs && timestampMs < state.lastMs;
      return isInside ? { state } : undefined;
    },
    advance: (state) => state,
    merge: unite,
    read: (state) =>
      state === undefined ? NEVER : { numbers: [state.firstMs, state.lastMs], changesAtMs: Number.POSITIVE_INFINITY },
    adopt: (state) => state,
    encode: writeTimes,
    decode: readTimes,
    isEstimate: () => false,
  };
}

function unite(a: Times, b: Times): Times {
  if (a === undefined || b === undefined) return a ?? b;
  return { firstMs: Math.min(a.firstMs, b.firstMs), lastMs: Math.max(a.lastMs, b.lastMs) };
}

/** Writes the distance from now to the last event plus one (0 means none), then the distance to the first. */
function writeTimes(writer: ByteWriter, state: Times, asOfMs: number): void {
  writer.varint(state === undefined ? 0 : asOfMs - state.lastMs + 1);
  if (state !== undefined) writer.varint(state.lastMs - state.firstMs);
}

function readTimes(reader: ByteReader, asOfMs: number): Times {
  const distance = reader.varint();
  if (distance === 0) return undefined;
  const lastMs = asOfMs - (distance - 1);
  return { firstMs: lastMs - reader.varint(), lastMs };
}
