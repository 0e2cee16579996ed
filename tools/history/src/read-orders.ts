import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { AppError, toMessage } from '@perennial/kernel';
import type { ColumnMap, ColumnPositions } from './columns.js';
import { locateColumns } from './columns.js';
import { CsvReader } from './csv.js';
import type { SegmentTrack } from './event.js';
import { toSegmentTrack } from './event.js';
import type { HistoryOrder } from './order-table.js';
import { EVENT_BYTES_MAX, OrderTable } from './order-table.js';
import { parseRow } from './row.js';

/** Bad rows that are kept with their reasons; all are counted. */
export const BAD_ROWS_KEPT_MAX = 100;

/** The front door accepts nothing earlier: such a time has the wrong unit, or comes from a clock that was never set. */
const EARLIEST_MS = Date.UTC(1990, 0, 1);

export interface BadRow {
  readonly line: number;
  readonly reason: string;
}

export interface ReadOptions {
  readonly map?: ColumnMap;
  /** Base name of the file: part of each messageId. Default: that of the path. */
  readonly fileName?: string;
  /** Rows later than this are bad; default: no bound. */
  readonly latestMs?: number;
  readonly rowsMax?: number;
}

/** A file's events in order of time, stored compactly: each event is built on request. */
export interface History {
  readonly fileName: string;
  /** SHA-256 (hex) of the uncompressed content: identifies the file. */
  readonly sha256: string;
  /** Rows below the header, bad ones included. */
  readonly rows: number;
  readonly badRows: { readonly count: number; readonly first: readonly BadRow[] };
  readonly users: number;
  /** Number of events of each sort. */
  readonly counts: { readonly orders: number; readonly refunds: number; readonly others: number };
  /** Number of events; they are numbered from 0 in order of time, equal times in the file's order. */
  readonly length: number;
  timestampMs(index: number): number;
  /** Index of the event's user. */
  userNumber(index: number): number;
  order(index: number): HistoryOrder;
  event(index: number): SegmentTrack;
}

/** Reads a history file, gzip or not; throws AppError when it is not a history file. Bad rows do not stop it. */
export async function readOrders(source: string | Readable, options: ReadOptions = {}): Promise<History> {
  const fileName = options.fileName ?? (typeof source === 'string' ? basename(source) : 'stdin');
  const builder = new HistoryBuilder(fileName, options);
  try {
    for await (const chunk of await openText(source)) builder.push(chunk as Buffer);
  } catch (error) {
    if (error instanceof AppError) throw error;
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new AppError(missing ? 'not_found' : 'config_invalid', `cannot read ${fileName}: ${toMessage(error)}`, {
      cause: error,
    });
  }
  return builder.finish();
}

class HistoryBuilder {
  readonly #fileName: string;
  readonly #options: ReadOptions;
  readonly #hash = createHash('sha256');
  readonly #decoder = new TextDecoder();
  readonly #reader: CsvReader;
  readonly #table: OrderTable;
  readonly #bad: BadRow[] = [];
  #badCount = 0;
  #rows = 0;
  #columns: ColumnPositions | undefined;

  constructor(fileName: string, options: ReadOptions) {
    this.#fileName = fileName;
    this.#options = options;
    this.#table = new OrderTable(options.rowsMax === undefined ? undefined : { rowsMax: options.rowsMax });
    this.#reader = new CsvReader({
      onRecord: (fields, line) => this.#addRecord(fields, line),
      onBadLine: (line, reason) => this.#addBadRow(line, reason),
    });
  }

  push(chunk: Buffer): void {
    this.#hash.update(chunk);
    this.#reader.push(this.#decoder.decode(chunk, { stream: true }));
  }

  finish(): History {
    this.#reader.push(this.#decoder.decode());
    this.#reader.end();
    if (this.#columns === undefined) throw new AppError('config_invalid', `${this.#fileName} is empty`);
    const table = this.#table;
    const sorted = this.#dropOversized(table.sorted());
    const counts = { orders: 0, refunds: 0, others: 0 };
    for (const number of sorted) counts[toCount(table.eventType(number))]++;
    const at = (index: number): number => {
      const number = sorted[index];
      if (number === undefined) throw new RangeError(`there is no event ${index} of ${sorted.length}`);
      return number;
    };
    const event = (index: number): SegmentTrack => {
      const track = toSegmentTrack(table.order(at(index)), this.#fileName);
      if (track === undefined) throw new Error(`assertion failed: event ${index} was measured and fits`);
      return track;
    };
    return {
      fileName: this.#fileName,
      sha256: this.#hash.digest('hex'),
      rows: this.#rows,
      badRows: { count: this.#badCount, first: this.#bad.sort((a, b) => a.line - b.line) },
      users: table.users,
      counts,
      length: sorted.length,
      timestampMs: (index) => table.timestampMs(at(index)),
      userNumber: (index) => table.userNumber(at(index)),
      order: (index) => table.order(at(index)),
      event,
    };
  }

  #addRecord(fields: readonly string[], line: number): void {
    if (this.#columns === undefined) {
      this.#columns = locateColumns(fields, this.#options.map ?? {});
      return;
    }
    const bounds = { earliestMs: EARLIEST_MS, latestMs: this.#options.latestMs ?? Number.POSITIVE_INFINITY };
    const row = parseRow(fields, this.#columns, bounds);
    if (typeof row === 'string') {
      this.#addBadRow(line, row);
      return;
    }
    this.#rows++;
    this.#table.add(row, line);
  }

  #addBadRow(line: number, reason: string): void {
    this.#rows++;
    this.#reportBad(line, reason);
  }

  #reportBad(line: number, reason: string): void {
    this.#badCount++;
    if (this.#bad.length < BAD_ROWS_KEPT_MAX) this.#bad.push({ line, reason });
  }

  /** Orders too large for an event are reported as bad rows before anything is sent. */
  #dropOversized(sorted: Uint32Array): Uint32Array {
    return sorted.filter((number) => {
      if (!this.#table.isLarge(number)) return true;
      const order = this.#table.order(number);
      if (toSegmentTrack(order, this.#fileName) !== undefined) return true;
      this.#reportBad(order.line, `begins an order of ${order.items.length} rows, more than ${EVENT_BYTES_MAX} bytes`);
      return false;
    });
  }
}

function toCount(eventType: string): 'orders' | 'refunds' | 'others' {
  if (eventType === 'purchase') return 'orders';
  return eventType === 'return' ? 'refunds' : 'others';
}

/** The bytes of the file, unzipped when it begins with gzip's magic number, whatever its name. */
async function openText(source: string | Readable): Promise<AsyncIterable<Buffer>> {
  const raw = typeof source === 'string' ? createReadStream(source, { highWaterMark: 1 << 18 }) : source;
  const chunks = raw[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first = await chunks.next();
  if (first.done) return [] as unknown as AsyncIterable<Buffer>;
  const all = prepend(first.value, chunks);
  if (first.value[0] !== 0x1f || first.value[1] !== 0x8b) return all;
  const gunzip = createGunzip({ chunkSize: 1 << 18 });
  pipeline(Readable.from(all), gunzip, () => {
    // An error of either stream reaches the reader through the iteration of `gunzip`.
  });
  return gunzip;
}

async function* prepend(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}
