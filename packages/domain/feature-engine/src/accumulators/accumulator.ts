import type { ByteReader, ByteWriter } from '../bytes.js';
import type { MeasuredEvent } from '../streams.js';

/** The numbers of an accumulator at a time. */
export interface Reading {
  /** The numbers, in an order defined by the plan. */
  readonly numbers: readonly number[];
  /** The time at which one of them next changes without an event; Infinity when none does. */
  readonly changesAtMs: number;
}

/** A state from which an event was taken back. */
export interface Retracted<State> {
  readonly state: State;
}

/** An id and how often it occurred. */
export interface IdCount {
  readonly id: string;
  readonly count: number;
}

/**
 * The part of a profile's state for some of its features: one slot of the state. Each kind has a file; the plan creates
 * one accumulator for each that the definitions need, and shares it between features. States are immutable.
 *
 * A state is a function of the events and of the time alone: in any order of events, `merge` and `advance` included,
 * equal sets at an equal time give equal states. `add` and `merge` return a state that is advanced to `asOfMs`.
 */
export interface Accumulator<State = unknown> {
  /** Accumulators of two specs with the same key hold the same data, possibly with other columns or a longer range. */
  readonly key: string;
  /** Keys of the streams that it sums, in the order of its state's columns; empty if it has no columns. */
  readonly columns: readonly string[];
  readonly empty: State;
  add(state: State, event: MeasuredEvent, asOfMs: number): State;
  /**
   * The state without an event that was added to it; `undefined` where what is kept does not show what the event had
   * changed. An event before all windows is in no state, so taking it back changes nothing.
   */
  retract(state: State, event: MeasuredEvent, asOfMs: number): Retracted<State> | undefined;
  /** Drops what no window covers any more; returns the same object when there is nothing to drop. */
  advance(state: State, asOfMs: number): State;
  /** Merges two states. Both must be advanced to the same time. */
  merge(a: State, b: State): State;
  read(state: State, atMs: number): Reading;
  /** The most frequent ids of each window, greatest count first, if ids are kept. */
  tops?(state: State, atMs: number): ReadonlyArray<readonly IdCount[]>;
  /** Converts the state of an accumulator with the same key and other columns. A column it lacked begins at zero. */
  adopt(state: State, columns: readonly string[]): State;
  encode(writer: ByteWriter, state: State, asOfMs: number): void;
  /** Throws `contract_violation` for damaged bytes. */
  decode(reader: ByteReader, asOfMs: number): State;
  /** True when exact counting was replaced by an estimate. */
  isEstimate(state: State): boolean;
}
