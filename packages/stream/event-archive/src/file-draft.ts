import { AcceptedRecord, toControl } from '@perennial/contracts';
import type { LogRecord } from '@perennial/kafka';
import { assert } from '@perennial/kernel';
import type { ArchivedStretch } from './file-name.js';
import { ParquetFileWriter } from './parquet-file.js';

/** Approximate size of a record object beyond its own bytes. */
const RECORD_OVERHEAD_BYTES = 300;

export interface FileDraftOptions {
  /** The first offset that the file covers; offsets up to its first record have none. */
  readonly from: number;
  readonly windowMs: number;
  readonly fileBytesMax: number;
  readonly rowGroupRows: number;
}

/**
 * The file that one partition's records are collected in. Its end is a function of its beginning and of the records
 * themselves (append time, size, a feature spec put in force), not of when they arrived or who reads. Every archiver that begins at a cut makes the
 * same files. So one that was killed, or does not know yet that it was replaced, writes the same bytes under
 * the same name.
 */
export class FileDraft {
  /** Its oldest record. */
  readonly first: LogRecord;
  readonly #options: FileDraftOptions;
  readonly #writer: ParquetFileWriter;
  #last: LogRecord;
  #bytes = 0;
  #records = 0;

  constructor(first: LogRecord, options: FileDraftOptions) {
    this.first = first;
    this.#last = first;
    this.#options = options;
    this.#writer = new ParquetFileWriter(options);
    this.#take(first);
  }

  /** Records appended from this time on do not belong to it. */
  get windowEndMs(): number {
    return (this.#toWindow(this.first) + 1) * this.#options.windowMs;
  }

  /**
   * Whether no further record belongs to it: its last one puts a feature spec in force. A fill waits for all records up to
   * that one, and would else wait for the window's end.
   */
  get isComplete(): boolean {
    return isFeaturesRollout(this.#last);
  }

  /** Whether the next record belongs to the next file. */
  endsBefore(record: LogRecord): boolean {
    return (
      this.isComplete ||
      this.#toWindow(record) !== this.#toWindow(this.#last) ||
      this.#bytes + toHeldBytes(record) > this.#options.fileBytesMax
    );
  }

  /** Adds the next record. True when that took milliseconds, because records were encoded. */
  add(record: LogRecord): boolean {
    assert(record.offset > this.#last.offset, 'records come in order');
    return this.#take(record);
  }

  /** Completes the file. Called once. */
  finish(): { readonly stretch: ArchivedStretch; readonly records: number; readonly bytes: Buffer } {
    const { partition, timestampMs } = this.first;
    const stretch = { partition, first: this.#options.from, last: this.#last.offset, appendTimeMs: timestampMs };
    return { stretch, records: this.#records, bytes: this.#writer.finish() };
  }

  #take(record: LogRecord): boolean {
    this.#last = record;
    this.#records++;
    this.#bytes += toHeldBytes(record);
    return this.#writer.add(record);
  }

  #toWindow(record: LogRecord): number {
    return Math.floor(record.timestampMs / this.#options.windowMs);
  }
}

function toHeldBytes({ key, value, headers }: LogRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  for (const name in headers) bytes += name.length + (headers[name]?.length ?? 0);
  return bytes;
}

/** Controls alone have no key, so nearly every record is not decoded here. */
function isFeaturesRollout({ key, value }: LogRecord): boolean {
  if (key !== null || value === null) return false;
  try {
    const control = toControl(AcceptedRecord.decode(value).record);
    return control?.kind === 'rollout' && control.rollout.kind === 'features';
  } catch {
    // What cannot be decoded puts nothing in force; it is archived as it is.
    return false;
  }
}
