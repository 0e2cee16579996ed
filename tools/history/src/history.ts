import type { SegmentTrack } from './event.js';
import type { EventTypeCount } from './event-types.js';
import type { Decimal, NumberSight } from './numbers.js';
import type { HistoryOrder } from './order-table.js';
import type { FurtherReturn, ReturnPart, SentAmount } from './return-rows.js';
import type { RowId } from './row-id.js';
import type { BadRows } from './row-problem.js';

/** How a file was read. */
interface Dialect {
  readonly encoding: string;
  readonly separator: string;
  readonly decimal: Decimal;
  /** Names in the header that nothing reads. */
  readonly unusedColumns: readonly string[];
  /** A number with a dot before three digits, where no number of the file says whether thousands or decimals follow. */
  readonly undecided: NumberSight | undefined;
  /** The first amount with a currency sign (`€5`), in a file that says its currency nowhere. */
  readonly unsaidCurrency: NumberSight | undefined;
}

/** A file's events in order of time, stored compactly: each event is built on request. */
export interface History {
  readonly fileName: string;
  /** SHA-256 (hex) of the uncompressed content: identifies the file. */
  readonly sha256: string;
  /** Rows below the header, bad ones and those left out included. */
  readonly rows: number;
  readonly badRows: BadRows;
  /** Rows that the filter leaves out, and the values for which it does, those with most rows first. */
  readonly leftOut: { readonly count: number; readonly values: ReadonlyArray<{ value: string; count: number }> };
  /** Events left out because an earlier one of the file has the same id in the column that names it. */
  readonly sameId: number;
  readonly eventTypes: readonly EventTypeCount[];
  readonly dialect: Dialect;
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
  /** Line of the event's first row. */
  line(index: number): number;
  /** What makes the event the same event in any file. */
  rowId(index: number): RowId;
  /** Index of the event with this id, -1 when the file has none. */
  find(id: RowId): number;
  /** What names the order or the refunds of an order in any file, though rows and amounts change; undefined where nothing does. */
  orderKey(index: number): RowId | undefined;
  /** True for a refund whose amount is all that was paid back of its order so far: a later file may have a greater one. */
  isRefundTotal(index: number): boolean;
  /** Worth of the order, or amount of the refund, positive; undefined where it is unknown. */
  amount(index: number): number | undefined;
  /**
   * The refund of what was paid back since a refund total that was `known`, as an event. Its id says from which amount on: the
   * same for a run that repeats it.
   */
  furtherTotal(index: number, known: number): SegmentTrack;
  /** Rows of a refund by what names them; none for other events and for refund totals. */
  returnParts(index: number): readonly ReturnPart[];
  /** What is new in a refund of which rows were sent before, as an event; undefined when none were. */
  furtherReturn(
    index: number,
    known: SentAmount,
  ): (Omit<FurtherReturn, 'order' | 'name'> & { readonly event: SegmentTrack }) | undefined;
  /** Rows that the event was made of. */
  rowCount(index: number): number;
}
