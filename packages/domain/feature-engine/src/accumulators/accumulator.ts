import type { ByteReader, ByteWriter } from '../bytes.js';
import type { MeasuredEvent } from '../streams.js';

/** What an accumulator says at a time. */
export interface Reading {
  /** Its numbers, in an order that only the plan knows. */
  readonly numbers: readonly number[];
  /** When one of them next changes without an event; Infinity when none ever will. */
  readonly changesAtMs: number;
}

/**
 * What the engine keeps of a profile for some of its features: one slot of a state. One file a kind; the plan makes one of
 * each that the definitions need, and shares it between features. States are immutable.
 *
 * A state is a function of the events and of the time alone: in whatever order events come, `merge` and `advance` included,
 * equal sets at an equal time give equal states. `add` and `merge` answer a state that is already advanced to `asOfMs`.
 */
export interface Accumulator<State = unknown> {
  /** Accumulators of two specs with one key keep the same thing, if perhaps with other columns or for longer. */
  readonly key: string;
  /** Keys of the streams it adds up, in the order of its state's columns; empty where there are none. */
  readonly columns: readonly string[];
  readonly empty: State;
  add(state: State, event: MeasuredEvent, asOfMs: number): State;
  /** Drops what no window reaches any more; the very object given when there is nothing to drop. */
  advance(state: State, asOfMs: number): State;
  /** Both states are advanced to the same time. */
  merge(a: State, b: State): State;
  read(state: State, atMs: number): Reading;
  /** The state of an accumulator with this key and other columns. A column that it did not have begins at zero. */
  adopt(state: State, columns: readonly string[]): State;
  encode(writer: ByteWriter, state: State, asOfMs: number): void;
  /** Throws `contract_violation` for damaged bytes. */
  decode(reader: ByteReader, asOfMs: number): State;
  /** True where exact counting was given up for an estimate. */
  isEstimate(state: State): boolean;
}
