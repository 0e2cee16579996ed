import type { Position } from '@perennial/contracts';
import type { LogRecord, OutgoingRecord } from '@perennial/kafka';

/** One record that was not accepted, in readable form. */
export interface Entry {
  /** `<partition>:<offset>` in its queue: the argument of `show` and `redrive`. */
  readonly position: string;
  readonly time: string;
  /** The component that did not accept it. */
  readonly processor: string;
  /** Kind of record, as far as it can be read: `event`, `timer`, `undecodable`, `omitted` ... */
  readonly kind: string;
  /** Origin: `<topic>/<partition>:<offset>`, or `http`. */
  readonly origin: string;
  readonly key: string | null;
  readonly cause: string;
  /** Other known facts, by name. */
  readonly notes: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  /** Decoded, else hex. */
  readonly value: unknown;
}

/** The records to be written, or the reason why there are none. */
type Redrive = { readonly records: readonly OutgoingRecord[] } | { readonly skipped: string };

/** A topic of records that were not processed, and how each is redriven. */
export interface Queue {
  readonly topic: string;
  /** Name of its records: singular, plural. */
  readonly names: readonly [one: string, many: string];
  /** Undefined for a record that does not belong there. */
  toEntry(record: LogRecord): Entry | undefined;
  /** Common key of the copies of a record, ascending within a source; undefined where there are no copies. */
  toPosition(record: LogRecord): Position | undefined;
  /**
   * Equal for records that stand for one record, which its writer published twice: each copy has a position of its own.
   * Undefined where nothing says so.
   */
  toFingerprint(record: LogRecord): string | undefined;
  /** `once`: a second redrive must be a repeat; only for records re-published in order of offset. */
  toRedrive(record: LogRecord, options: { once: boolean }): Promise<Redrive>;
}
