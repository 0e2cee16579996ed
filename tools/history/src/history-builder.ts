import { AppError } from '@perennial/kernel';
import type { ColumnRules, Columns } from './columns.js';
import { isComplete, locateColumns } from './columns.js';
import { CsvReader } from './csv.js';
import { EventTypes } from './event-types.js';
import { toHistory } from './finish-history.js';
import type { History } from './history.js';
import { LeftOut } from './left-out.js';
import { type Decimal, NumberReader, type NumberSight } from './numbers.js';
import { OrderTable } from './order-table.js';
import { toColumnRules } from './presets.js';
import type { ReadOptions } from './read-options.js';
import { type HistoryRow, RowReader } from './row.js';
import { BadRowCounter } from './row-problem.js';
import { findSeparator } from './separator.js';

/** The front door accepts nothing earlier: such a time has the wrong unit, or comes from a clock that was never set. */
const EARLIEST_MS = Date.UTC(1990, 0, 1);

export interface BuilderInput {
  readonly fileName: string;
  readonly options: ReadOptions;
  readonly encoding: string;
  /** The decimal character that an earlier reading of the file found. */
  readonly assumed: Decimal | undefined;
}

/** Builds a history from the text of a file. */
export class HistoryBuilder {
  readonly #input: BuilderInput;
  readonly #rules: ColumnRules;
  readonly #reader: CsvReader;
  readonly #table: OrderTable;
  readonly #numbers: NumberReader;
  readonly #types: EventTypes;
  readonly #bad = new BadRowCounter();
  readonly #leftOut = new LeftOut();
  #separator = ',';
  #rows = 0;
  #columns: Columns | undefined;
  #rowReader: RowReader | undefined;

  constructor(input: BuilderInput) {
    const { options, assumed } = input;
    this.#input = input;
    this.#rules = toColumnRules(options.preset, options);
    this.#table = new OrderTable(options.rowsMax === undefined ? undefined : { rowsMax: options.rowsMax });
    this.#numbers = new NumberReader(options.decimal ?? assumed ?? '.');
    this.#types = new EventTypes(options.types);
    this.#reader = new CsvReader({
      toSeparator: (header) => this.#toSeparator(header),
      onRecord: (fields, line) => this.#addRecord(fields, line),
      onBadLine: (line, reason) => this.#addBadLine(line, reason),
    });
  }

  /** True once a number can only be read with a decimal comma, and none only with a dot. */
  get hasDecimalCommas(): boolean {
    const { own, other, decimal } = this.#numbers;
    return this.#input.options.decimal === undefined && decimal === '.' && other !== undefined && own === undefined;
  }

  push(text: string): void {
    this.#reader.push(text);
    this.#checkNumbers();
  }

  /** Reads the last line, which may have no end. */
  end(): void {
    this.#reader.end();
    this.#checkNumbers();
  }

  finish(file: { sha256: string; bytes: number }): History {
    const { open, openDot, own } = this.#numbers;
    const isFound = this.#input.options.decimal === undefined && this.#numbers.decimal === '.' && own === undefined;
    if (isFound && open !== undefined) throw toOpen(open);
    if (this.#columns === undefined) throw new AppError('config_invalid', describeEmpty(file.bytes));
    const dialect = {
      encoding: this.#input.encoding,
      separator: this.#separator,
      decimal: this.#numbers.decimal,
      unusedColumns: this.#columns.unused,
      undecided: isFound ? openDot : undefined,
      unsaidCurrency: this.#columns.readers.currency === undefined ? this.#numbers.signed : undefined,
    };
    return toHistory({
      fileName: this.#input.fileName,
      sha256: file.sha256,
      rows: this.#rows,
      bad: this.#bad,
      leftOut: this.#leftOut.result(),
      eventTypes: this.#types.counts(),
      dialect,
      table: this.#table,
      hasIds: this.#columns.readers.id !== undefined,
    });
  }

  #toSeparator(header: string): string {
    this.#separator = this.#input.options.separator ?? findSeparator(header, (names) => isComplete(names, this.#rules));
    return this.#separator;
  }

  #addRecord(fields: readonly string[], line: number): void {
    if (this.#rowReader === undefined) {
      this.#readHeader(fields);
      return;
    }
    this.#rows++;
    if (this.#isLeftOut(this.#rowReader, fields)) return;
    const row = this.#rowReader.read(fields, line);
    const problem = 'kind' in row ? row : this.#add(row, line);
    if (problem !== undefined) this.#bad.add(line, problem);
  }

  #add(row: HistoryRow, line: number) {
    const problem = this.#table.add(row, line);
    if (problem !== undefined || row.refund === undefined) return problem;
    const { total, timestampMs = row.timestampMs } = row.refund;
    const nothing = { itemId: undefined, quantity: undefined, value: undefined, refund: undefined };
    return this.#table.add({ ...row, ...nothing, eventType: 'return', timestampMs, total, isRefundTotal: true }, line);
  }

  #readHeader(fields: readonly string[]): void {
    this.#columns = locateColumns(fields, this.#rules, this.#separator);
    this.#rowReader = new RowReader({
      columns: this.#columns,
      numbers: this.#numbers,
      types: this.#types,
      bounds: { earliestMs: EARLIEST_MS, latestMs: this.#input.options.latestMs ?? Number.POSITIVE_INFINITY },
      encoding: this.#input.encoding,
      time: { ...this.#input.options.preset?.time, ...this.#input.options.time },
    });
  }

  #isLeftOut(reader: RowReader, fields: readonly string[]): boolean {
    const value = reader.filterValue(fields);
    if (value === undefined) return false;
    return this.#leftOut.check({ value, orderId: reader.orderId(fields), allowed: this.#columns?.where?.values });
  }

  #addBadLine(line: number, reason: string): void {
    if (this.#rowReader === undefined) throw new AppError('config_invalid', `line ${line}, the header, ${reason}`);
    this.#rows++;
    this.#bad.add(line, { kind: reason.startsWith('is longer') ? 'length' : 'quote', reason });
  }

  /** All numbers of a file are written in one way: two ways mean that some would be read wrong by a thousand. */
  #checkNumbers(): void {
    const { own, other, decimal } = this.#numbers;
    if (this.#input.options.decimal !== undefined || other === undefined || this.hasDecimalCommas) return;
    const first = own ?? other;
    throw new AppError(
      'config_invalid',
      `line ${first.line} has the number "${first.text}" and line ${other.line} "${other.text}", which have different ` +
        `decimal characters: pass --decimal . or --decimal , and rows written in the other way are bad rows` +
        (own === undefined ? ` (other rows have "${decimal}")` : ''),
    );
  }
}

function toOpen({ line, text }: NumberSight): AppError {
  const [thousands, decimals] = [text.replace(',', ''), text.replace(',', '.')];
  const message =
    `"${text}" in line ${line} is ${thousands} or ${decimals}, and no other number of the file says which: ` +
    `pass --decimal . for ${thousands}, --decimal , for ${decimals}`;
  return new AppError('config_invalid', message);
}

function describeEmpty(bytes: number): string {
  return bytes === 0 ? 'is empty: 0 bytes' : `has no header: its ${bytes} bytes are blank lines`;
}
