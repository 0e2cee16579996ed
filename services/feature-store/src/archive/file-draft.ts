import type { LogRecord } from '@perennial/kafka';
import { assert } from '@perennial/kernel';
import type { ArchivedStretch } from './file-name.js';
import { ParquetFileWriter } from './parquet-file.js';

/** What a record object costs beyond the bytes it carries, about. */
const RECORD_OVERHEAD_BYTES = 300;

export interface FileDraftLimits {
  readonly windowMs: number;
  readonly fileBytesMax: number;
  readonly rowGroupRows: number;
}

/**
 * The file that one partition's records are being made into. Where it ends is a function of where it began and of the records
 * themselves (their append time, their size), never of when they came or who reads: whoever begins at a cut makes the same
 * files, so that an archiver that was killed, or one that does not know yet that it was replaced, writes the same bytes under
 * the same name.
 */
export class FileDraft {
  /** Its oldest record. */
  readonly first: LogRecord;
  readonly #limits: FileDraftLimits;
  readonly #writer: ParquetFileWriter;
  #last: LogRecord;
  #bytes = 0;

  constructor(first: LogRecord, limits: FileDraftLimits) {
    this.first = first;
    this.#last = first;
    this.#limits = limits;
    this.#writer = new ParquetFileWriter(limits);
    this.#take(first);
  }

  /** Nothing appended from this moment on belongs to it. */
  get windowEndMs(): number {
    return (this.#toWindow(this.first) + 1) * this.#limits.windowMs;
  }

  /** Whether the next record is one of the next file. */
  endsBefore(record: LogRecord): boolean {
    return (
      this.#toWindow(record) !== this.#toWindow(this.#last) ||
      this.#bytes + toHeldBytes(record) > this.#limits.fileBytesMax
    );
  }

  /** Takes the next record. True when that took milliseconds: some were encoded. */
  add(record: LogRecord): boolean {
    assert(record.offset === this.#last.offset + 1, 'a file has no gap');
    return this.#take(record);
  }

  /** Ends it. Called once. */
  finish(): { readonly stretch: ArchivedStretch; readonly bytes: Buffer } {
    const { partition, offset, timestampMs } = this.first;
    const stretch = { partition, first: offset, last: this.#last.offset, appendTimeMs: timestampMs };
    return { stretch, bytes: this.#writer.finish() };
  }

  #take(record: LogRecord): boolean {
    this.#last = record;
    this.#bytes += toHeldBytes(record);
    return this.#writer.add(record);
  }

  #toWindow(record: LogRecord): number {
    return Math.floor(record.timestampMs / this.#limits.windowMs);
  }
}

function toHeldBytes({ key, value, headers }: LogRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  for (const name in headers) bytes += name.length + (headers[name]?.length ?? 0);
  return bytes;
}
