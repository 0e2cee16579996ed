import type { TimeOptions } from '@perennial/time-text';
import type { HistoryColumn } from './column-map.js';
import type { ColumnReader, Columns } from './columns.js';
import type { EventTypes } from './event-types.js';
import type { NumberReader } from './numbers.js';
import { quoteValue, type RowProblem } from './row-problem.js';
import type { TimestampProblem } from './timestamp.js';
import { parseTimestamp } from './timestamp.js';

/**
 * One row of a history file; `undefined` where a field is empty. With an `orderId`, what is empty may stand in an
 * earlier row of the order: shops write it on an order's first line only.
 */
export interface HistoryRow {
  readonly userId: string | undefined;
  readonly timestampMs: number | undefined;
  readonly eventType: string | undefined;
  readonly itemId: string | undefined;
  readonly sessionId: string | undefined;
  readonly orderId: string | undefined;
  readonly quantity: number | undefined;
  /** Of the whole row: quantity x unit price where the file has unit prices. */
  readonly value: number | undefined;
  /** Of the whole order. */
  readonly total: number | undefined;
  readonly currency: string | undefined;
  readonly extra: string | undefined;
  /** What makes the row the same row in another file, where a column says it. */
  readonly id: string | undefined;
  /** What was paid back of the order, and when. */
  readonly refund: { readonly total: number; readonly timestampMs: number | undefined } | undefined;
  /** True for the return that `refund` is made into: its total is all that was paid back so far. */
  readonly isRefundTotal?: boolean;
}

interface TimeBounds {
  readonly earliestMs: number;
  readonly latestMs: number;
}

export interface RowRules {
  readonly columns: Columns;
  readonly numbers: NumberReader;
  readonly types: EventTypes;
  readonly bounds: TimeBounds;
  readonly encoding: string;
  readonly time: TimeOptions;
}

/** A bad row, thrown within this file only: most fields have a way to be bad, and few rows are. */
class BadField {
  readonly problem: RowProblem;

  constructor(problem: RowProblem) {
    this.problem = problem;
  }
}

/** Codes of currencies end in a capital; these are hundredths. */
const HUNDREDTH = /^[A-Z]{2}[a-z]$/;

/** Reads the fields of one file's records as rows. */
export class RowReader {
  readonly #rules: RowRules;
  readonly #hasQuantity: boolean;
  /** Files are mostly in order of time, so a row often has the same text as the previous one. */
  /** Currency that an amount of the row has beside its number, and where it stands. */
  #code: { readonly code: string; readonly column: HistoryColumn } | undefined;
  #lastText = '';
  #lastTime: number | TimestampProblem = parseTimestamp('');

  constructor(rules: RowRules) {
    this.#rules = rules;
    this.#hasQuantity = rules.columns.readers.quantity !== undefined;
  }

  /** What the filter's column says; undefined without a filter. */
  filterValue(fields: readonly string[]): string | undefined {
    const { where } = this.#rules.columns;
    return where === undefined ? undefined : (fields[where.at] ?? '').trim();
  }

  /** The order of the row, without reading the rest. */
  orderId(fields: readonly string[]): string {
    return this.#text(fields, 'order_id');
  }

  read(fields: readonly string[], line: number): HistoryRow | RowProblem {
    const { width } = this.#rules.columns;
    if (fields.length !== width && !isPadded(fields, width)) {
      return { kind: 'columns', reason: `has ${fields.length} columns, the header has ${width}` };
    }
    try {
      return this.#read(fields, line);
    } catch (error) {
      if (error instanceof BadField) return error.problem;
      throw error;
    }
  }

  #read(fields: readonly string[], line: number): HistoryRow {
    const orderId = this.#text(fields, 'order_id') || undefined;
    const userId = this.#text(fields, 'user_id') || undefined;
    if (userId === undefined && orderId === undefined) throw new BadField({ kind: 'user', reason: 'has no user_id' });
    const eventType = this.#eventType(fields, line, orderId !== undefined);
    const timestampMs = this.#time(fields, 'ts', orderId !== undefined);
    const quantity = this.#number(fields, 'quantity', line);
    this.#code = undefined;
    const amounts = {
      value: this.#value(fields, line, quantity),
      total: this.#number(fields, 'order_total', line),
      refund: this.#refund(fields, line),
    };
    return {
      userId,
      timestampMs,
      eventType,
      itemId: this.#text(fields, 'item_id') || undefined,
      sessionId: this.#text(fields, 'session_id') || undefined,
      orderId,
      quantity,
      ...amounts,
      currency: this.#currency(fields),
      extra: this.#text(fields, 'extra') || undefined,
      id: this.#id(fields),
    };
  }

  #text(fields: readonly string[], column: HistoryColumn): string {
    const reader = this.#rules.columns.readers[column];
    if (reader === undefined) return '';
    // Any text may stand there: `NA` is Namibia.
    const toCell = column === 'extra' ? trim : toValue;
    const text = typeof reader === 'number' ? toCell(fields[reader]) : toText(reader, fields, toCell);
    // A broken encoding would map several ids to one: U+FFFD stands for bytes that are not valid.
    if (!text.includes('\uFFFD')) return text;
    const { encoding } = this.#rules;
    const reason = `${column} ${quoteValue(text)} is not valid ${encoding}: if the file has another encoding, pass --encoding`;
    throw new BadField({ kind: 'encoding', reason });
  }

  #id(fields: readonly string[]): string | undefined {
    if (this.#rules.columns.readers.id === undefined) return undefined;
    const id = this.#text(fields, 'id');
    if (id === '') throw new BadField({ kind: 'id', reason: 'has no id' });
    return id;
  }

  #eventType(fields: readonly string[], line: number, mayInherit: boolean): string | undefined {
    const reader = this.#rules.columns.readers.event_type;
    if (typeof reader === 'object' && 'signAt' in reader) return this.#typeBySign(fields[reader.signAt] ?? '', line);
    const text = this.#text(fields, 'event_type');
    if (text !== '') return this.#rules.types.read(text, line);
    if (mayInherit) return undefined;
    throw new BadField({ kind: 'type', reason: 'has no event_type' });
  }

  #typeBySign(text: string, line: number): string {
    const number = this.#rules.numbers.read(text.trim(), line);
    if (typeof number === 'number') return this.#rules.types.read(number < 0 ? 'return' : 'purchase', line);
    throw new BadField({ kind: 'type', reason: `has no number whose sign gives its event_type: ${quoteValue(text)}` });
  }

  #time(fields: readonly string[], column: 'ts' | 'refund_ts', mayBeEmpty: boolean): number | undefined {
    const text = this.#text(fields, column);
    if (text === '' && mayBeEmpty) return undefined;
    const time = this.#parseTime(text);
    if (typeof time === 'string') throw new BadField({ kind: 'time', reason: `${column} ${quoteValue(text)} ${time}` });
    const { earliestMs, latestMs } = this.#rules.bounds;
    if (time >= earliestMs && time <= latestMs) return time;
    const what =
      time < earliestMs ? `is before ${new Date(earliestMs).toISOString().slice(0, 10)}` : 'is in the future';
    throw new BadField({ kind: 'range', reason: `${column} ${quoteValue(text)} ${what}` });
  }

  #parseTime(text: string): number | TimestampProblem {
    if (text !== this.#lastText) {
      this.#lastTime = parseTimestamp(text, this.#rules.time);
      this.#lastText = text;
    }
    return this.#lastTime;
  }

  #number(fields: readonly string[], column: HistoryColumn, line: number): number | undefined {
    const text = this.#text(fields, column);
    if (text === '') return undefined;
    const { numbers } = this.#rules;
    const number = numbers.read(text, line);
    if (numbers.code !== undefined) this.#noteCode(numbers.code, column, text);
    if (typeof number !== 'string') return number;
    throw new BadField({ kind: 'number', reason: `${column} ${quoteValue(text)} ${number}` });
  }

  /** `12,50 EUR` says its currency; `3 PCS` is no quantity, and one row has one currency. */
  #noteCode(code: string, column: HistoryColumn, text: string): void {
    const other = this.#code;
    if (column === 'quantity') {
      throw new BadField({ kind: 'number', reason: `${column} ${quoteValue(text)} is not a finite number` });
    }
    if (other !== undefined && other.code !== code) {
      const reason = `${column} ${quoteValue(text)} is in ${code}, ${other.column} in ${other.code}`;
      throw new BadField({ kind: 'number', reason });
    }
    this.#code = { code, column };
  }

  #currency(fields: readonly string[]): string | undefined {
    const written = this.#text(fields, 'currency');
    // GBp is a hundredth of GBP: as it is written ingest knows that it is no currency.
    const currency = (HUNDREDTH.test(written) ? written : written.toUpperCase()) || undefined;
    const beside = this.#code;
    if (beside === undefined || beside.code === currency) return currency;
    if (currency === undefined) return beside.code;
    const reason = `${beside.column} is in ${beside.code}, and the row's currency is ${quoteValue(currency)}`;
    throw new BadField({ kind: 'number', reason });
  }

  /** A file without quantities has one of each; a quantity left empty in one that has them is unknown. */
  #value(fields: readonly string[], line: number, quantity: number | undefined): number | undefined {
    const value = this.#number(fields, 'value', line);
    if (value !== undefined) return value;
    const price = this.#number(fields, 'price', line);
    const count = this.#hasQuantity ? quantity : 1;
    if (price === undefined || count === undefined) return undefined;
    // A double keeps 15 digits of any decimal: rounding to them removes the error of multiplying cents in binary.
    return Number((price * count).toPrecision(15));
  }

  #refund(fields: readonly string[], line: number): HistoryRow['refund'] {
    const total = this.#number(fields, 'refund_total', line);
    if (total === undefined || total === 0) return undefined;
    return { total: Math.abs(total), timestampMs: this.#time(fields, 'refund_ts', true) };
  }
}

function toText(
  reader: Exclude<ColumnReader, number>,
  fields: readonly string[],
  toCell: (field: string | undefined) => string,
): string {
  if ('constant' in reader) return reader.constant;
  if ('signAt' in reader) return '';
  for (const at of reader.anyAt) {
    const text = toCell(fields[at]);
    if (text !== '') return text;
  }
  return '';
}

/** What databases, R, Python and spreadsheets write for no value: all orders without an id would be one order `NULL`. */
const NO_VALUE: ReadonlySet<string> = new Set([
  ...['\\n', 'null', '(null)', '<null>', '[null]', 'none', 'nan', 'na', '<na>', 'n/a', '#n/a', 'nil', 'undefined'],
]);

/** Their first character and length: most fields need no more than this look. */
const MAY_BE_NO_VALUE = /^[\\(<[#nu].{1,8}$/i;

function trim(field: string | undefined): string {
  return (field ?? '').trim();
}

/** A field without blanks around it; empty where it says that there is no value. */
function toValue(field: string | undefined): string {
  const text = trim(field);
  return MAY_BE_NO_VALUE.test(text) && NO_VALUE.has(text.toLowerCase()) ? '' : text;
}

/** Spreadsheets write a separator for each column that any row of the sheet ever had. */
function isPadded(fields: readonly string[], width: number): boolean {
  return fields.length > width && fields.slice(width).every((field) => field.trim() === '');
}
