import type { LogRecord } from '@perennial/kafka';
import { assert } from '@perennial/kernel';

/** What a record object costs beyond the bytes it carries, about. */
const RECORD_OVERHEAD_BYTES = 300;

/**
 * Cuts one partition's records into files. Where it cuts is a function of where it began and of the records themselves (their
 * append time, their size), never of when they came or who reads: whoever begins at a cut makes the same files, so that
 * an archiver that was killed, or one that does not know yet that it was replaced, writes the same bytes under the same name.
 */
export class Cutter {
  readonly #limits: { readonly windowMs: number; readonly fileBytesMax: number };
  #held: LogRecord[] = [];
  #bytes = 0;

  constructor(limits: { readonly windowMs: number; readonly fileBytesMax: number }) {
    this.#limits = limits;
  }

  /** The oldest record that is in no file yet. */
  get oldest(): LogRecord | undefined {
    return this.#held[0];
  }

  /** Takes the next record; gives the file that ends before it, when one does. */
  push(record: LogRecord): readonly LogRecord[] | undefined {
    const last = this.#held.at(-1);
    assert(last === undefined || record.offset === last.offset + 1, 'a file has no gap');
    const bytes = toHeldBytes(record);
    const ends =
      last !== undefined &&
      (this.#toWindow(record) !== this.#toWindow(last) || this.#bytes + bytes > this.#limits.fileBytesMax);
    const closed = ends ? this.close() : undefined;
    this.#held.push(record);
    this.#bytes += bytes;
    return closed;
  }

  /** When the window of the records in hand ends; undefined when there are none. */
  get windowEndMs(): number | undefined {
    const { oldest } = this;
    return oldest === undefined ? undefined : (this.#toWindow(oldest) + 1) * this.#limits.windowMs;
  }

  /** The records in hand as a file; only when it is known that no other belongs to it. */
  close(): readonly LogRecord[] {
    const records = this.#held;
    this.#held = [];
    this.#bytes = 0;
    return records;
  }

  #toWindow(record: LogRecord): number {
    return Math.floor(record.timestampMs / this.#limits.windowMs);
  }
}

function toHeldBytes({ key, value, headers }: LogRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, text] of Object.entries(headers)) bytes += name.length + text.length;
  return bytes;
}
