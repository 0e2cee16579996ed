import { createHash } from 'node:crypto';
import type { LogRecord } from '@perennial/kafka';
import { AppError, assert, isAppError, toMessage, toSha256 } from '@perennial/kernel';
import { parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { ByteWriter, type ColumnSource, ParquetWriter } from 'hyparquet-writer';
import { type ArchiveRow, COLUMN_NAMES, RECORD_COLUMNS, toArchived, toRow, toSchema } from './columns.js';

/** Metadata key of the SHA-256 over the file's records, since Parquet's pages have no checksum. */
const CHECKSUM = 'perennial.records.sha256';
/** The same over all bytes before the metadata, and their number: a reader may loop forever in damaged pages. */
const PAGES_CHECKSUM = 'perennial.pages.sha256';
const PAGES_BYTES = 'perennial.pages.bytes';

/** Dictionaries and min/max statistics of columns that hardly repeat cost half of the time and are of no use. */
const HARDLY_REPEATED: ReadonlySet<string> = new Set<keyof ArchiveRow>([
  'offset',
  'message_id',
  'properties',
  'record_key',
  'record_value',
  'record_headers',
]);

/**
 * Makes a Parquet file of records added one by one: the same bytes for the same records. A row group is encoded as soon
 * as it is full, so the memory used is small and few record objects reach the old generation.
 */
export class ParquetFileWriter {
  readonly #rowGroupRows: number;
  readonly #bytes = new ByteWriter();
  readonly #file = new ParquetWriter({ writer: this.#bytes, schema: toSchema() });
  readonly #checksum = new RecordsChecksum();
  #group: LogRecord[] = [];

  constructor({ rowGroupRows }: { readonly rowGroupRows: number }) {
    this.#rowGroupRows = rowGroupRows;
  }

  /** True when that took milliseconds, because a row group was full. */
  add(record: LogRecord): boolean {
    this.#group.push(record);
    if (this.#group.length < this.#rowGroupRows) return false;
    this.#writeGroup();
    return true;
  }

  /** The complete file. Called once, after at least one record. */
  finish(): Buffer {
    if (this.#group.length > 0) this.#writeGroup();
    const pages = Buffer.from(this.#bytes.getBuffer());
    assert(pages.length > 0, 'a file has at least one record');
    this.#file.kvMetadata = [
      { key: CHECKSUM, value: this.#checksum.digest() },
      { key: PAGES_CHECKSUM, value: toSha256(pages) },
      { key: PAGES_BYTES, value: String(pages.length) },
    ];
    // Returns a promise only for writers that flush; ByteWriter does not.
    void this.#file.finish();
    return Buffer.from(this.#bytes.getBuffer());
  }

  #writeGroup(): void {
    const group = this.#group;
    this.#group = [];
    void this.#file.write({ columnData: toColumns(group.map(toRow)), rowGroupSize: this.#rowGroupRows });
    for (const record of group) this.#checksum.add(toArchived(record));
  }
}

function toColumns(rows: readonly ArchiveRow[]): ColumnSource[] {
  return COLUMN_NAMES.map((name) => ({
    name,
    data: rows.map((row) => row[name]),
    ...(HARDLY_REPEATED.has(name) ? { encoding: 'PLAIN' as const, statistics: name === 'offset' } : {}),
  }));
}

/** Reads a file's records, of `topic`, in order. Throws `data_damaged` for bytes that are no such file or changed. */
export async function decodeArchiveFile(
  bytes: Buffer,
  { name, topic }: { readonly name: string; readonly topic: string },
): Promise<LogRecord[]> {
  try {
    const file = new Uint8Array(bytes).buffer;
    const metadata = await parquetMetadataAsync(file);
    const declared = new Map(metadata.key_value_metadata?.map(({ key, value }) => [key, value]));
    if (declared.get(PAGES_CHECKSUM) !== toSha256(bytes.subarray(0, Number(declared.get(PAGES_BYTES)))))
      throw new AppError('data_damaged', `${name}: its checksum is wrong`);
    const rows = await parquetReadObjects({ file, metadata, columns: [...RECORD_COLUMNS], utf8: false });
    const checksum = new RecordsChecksum();
    const records = rows.map((row) => toRecord(row as unknown as ReadRow, topic));
    for (const record of records) checksum.add(record);
    if (declared.get(CHECKSUM) !== checksum.digest())
      throw new AppError('data_damaged', `${name}: its checksum is wrong`);
    return records;
  } catch (error) {
    if (isAppError(error)) throw error;
    throw new AppError('data_damaged', `${name} cannot be read: ${toMessage(error)}`, { cause: error });
  }
}

/** The columns that are read, as the reader gives them. */
interface ReadRow extends Pick<ArchiveRow, 'partition' | 'offset' | 'record_key' | 'record_value'> {
  readonly append_time: Date;
  readonly record_headers: string;
}

function toRecord(row: ReadRow, topic: string): LogRecord {
  return {
    topic,
    partition: row.partition,
    offset: Number(row.offset),
    timestampMs: row.append_time.getTime(),
    key: toBuffer(row.record_key),
    value: toBuffer(row.record_value),
    headers: Object.fromEntries(JSON.parse(row.record_headers) as Array<[string, string]>),
  };
}

function toBuffer(bytes: Uint8Array | null | undefined): Buffer | null {
  return bytes == null ? null : Buffer.from(bytes);
}

class RecordsChecksum {
  readonly #hash = createHash('sha256');

  add({ partition, offset, timestampMs, key, value, headers }: LogRecord): void {
    const head = [partition, offset, timestampMs, key?.length ?? -1, value?.length ?? -1, Object.entries(headers)];
    this.#hash.update(`${JSON.stringify(head)}\n`);
    if (key !== null) this.#hash.update(key);
    if (value !== null) this.#hash.update(value);
  }

  digest(): string {
    return this.#hash.digest('hex');
  }
}
