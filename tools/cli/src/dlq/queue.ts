import type { Position } from '@perennial/contracts';
import type { LogRecord, OutgoingRecord } from '@perennial/kafka';

/** One thing that was not taken, in readable form. */
export interface Entry {
  /** `<partition>:<offset>` in its queue: what `show` and `redrive` are given. */
  readonly position: string;
  readonly time: string;
  /** Who did not take it. */
  readonly processor: string;
  /** What it is, as far as it can be read: `event`, `timer`, `undecodable`, `omitted` ... */
  readonly kind: string;
  /** Where it was read: `<topic>/<partition>:<offset>`, or `http`. */
  readonly origin: string;
  readonly key: string | null;
  readonly cause: string;
  /** What else is known of it, by name. */
  readonly notes: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  /** Decoded, else hex. */
  readonly value: unknown;
}

/** A record to be written, or why there is none. */
type Redrive = { readonly record: OutgoingRecord } | { readonly skipped: string };

/** A topic of records that were not processed, and how each is redriven. */
export interface Queue {
  readonly topic: string;
  /** What its records are called: singular, plural. */
  readonly names: readonly [one: string, many: string];
  /** Undefined for a record that does not belong there. */
  toEntry(record: LogRecord): Entry | undefined;
  /** What copies of a record have in common, ascending within a source; undefined where there are no copies. */
  toPosition(record: LogRecord): Position | undefined;
  /** `once`: a second redrive is to be a repeat; only for records re-published in order of offset. */
  toRedrive(record: LogRecord, options: { once: boolean }): Promise<Redrive>;
}
