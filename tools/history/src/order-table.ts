import { AppError } from '@perennial/kernel';
import {
  createFloatColumn,
  createIndexColumn,
  createOptionalFloatColumn,
  createOptionalIndexColumn,
  TextPool,
} from './column-store.js';
import { isOrderType } from './event-types.js';
import type { HistoryRow } from './row.js';
import { type RowId, toOrderHash, toReturnHash, toRowHash } from './row-id.js';
import { quoteValue, type RowProblem } from './row-problem.js';

/** Rows of one file; about 60 bytes each, so this is 1.2 GB; names of returned rows take 8 more. */
const ROWS_MAX = 20_000_000;

/** Ingest accepts 32 KiB an event; this leaves some room for what ingest adds. */
export const EVENT_BYTES_MAX = 32_000;

/** Bytes of an event besides its texts and products: names, time, message id with a file name of 255 bytes. */
const EVENT_BYTES_BASE = 1_200;

const NONE = 0xffff_ffff;

/** One order (or one row of another type), assembled from its rows. */
export interface HistoryOrder {
  /** Line of its first row in the file. */
  readonly line: number;
  readonly timestampMs: number;
  readonly userId: string;
  readonly eventType: string;
  readonly sessionId: string | undefined;
  readonly orderId: string | undefined;
  /** What the file says the order is worth as a whole. */
  readonly total: number | undefined;
  readonly currency: string | undefined;
  readonly extra: string | undefined;
  /** True for a return whose total is all that was paid back of the order so far: a later file may have a greater one. */
  readonly isRefundTotal: boolean;
  /** True when its event may exceed the limit of bytes, so that only these need measuring. */
  readonly large: boolean;
  readonly items: readonly HistoryItem[];
}

export interface HistoryItem {
  readonly itemId: string | undefined;
  readonly quantity: number | undefined;
  readonly value: number | undefined;
  /** Of a return of an order or session: what names the row in any file, though its amount changes. */
  readonly key?: RowId | undefined;
}

/** A row with what it inherits from its order. */
type WholeRow = HistoryRow & { readonly userId: string; readonly timestampMs: number; readonly eventType: string };

/**
 * Rows, grouped into orders as they are added: rows of the same type, `purchase` or `return`, with one order id, or else
 * with one user and session, are one order at the time of the earliest of them. Every other row stands alone. Stored in
 * columns of numbers.
 */
export class OrderTable {
  readonly #texts = {
    ids: new TextPool('user ids'),
    words: new TextPool('item ids'),
    orders: new TextPool('orders'),
  };
  readonly #rows = {
    next: createIndexColumn(),
    item: createIndexColumn(),
    quantity: createFloatColumn(),
    value: createFloatColumn(),
    /** Of returns only: what names the row. */
    keyHigh: createOptionalIndexColumn(),
    keyLow: createOptionalIndexColumn(),
  };
  readonly #orders = {
    time: createFloatColumn(),
    line: createIndexColumn(),
    user: createIndexColumn(),
    type: createIndexColumn(),
    /** Number of the text that the order's rows have in common. */
    key: createIndexColumn(),
    total: createOptionalFloatColumn(),
    currency: createOptionalIndexColumn(),
    extra: createOptionalIndexColumn(),
    /** 1 where the total is all that was paid back so far. */
    refundTotal: createOptionalIndexColumn(),
    head: createIndexColumn(),
    tail: createIndexColumn(),
    /** Upper bound of the event's bytes. */
    weight: createFloatColumn(),
    /** Sum of the hashes of the rows, so that their sequence in the file does not matter. */
    high: createIndexColumn(),
    low: createIndexColumn(),
  };
  /** Number of the order, plus one, by type and number of its key. */
  readonly #orderOfKey = { purchase: createOptionalIndexColumn(), return: createOptionalIndexColumn() };
  readonly #rowsMax: number;

  constructor(limits: { rowsMax: number } = { rowsMax: ROWS_MAX }) {
    this.#rowsMax = limits.rowsMax;
  }

  /** Orders so far. */
  get length(): number {
    return this.#orders.time.length;
  }

  /** Distinct users so far. */
  get users(): number {
    return this.#texts.ids.size;
  }

  /** Adds one row, or says why it fits no order; throws `limit_exceeded` past the limit of rows. */
  add(row: HistoryRow, line: number): RowProblem | undefined {
    const whole = row.orderId === undefined ? toWhole(row) : toWhole(this.#inherit(row, row.orderId));
    if ('kind' in whole) return whole;
    const index = this.#rows.next.length;
    if (index >= this.#rowsMax) {
      throw new AppError('limit_exceeded', `more than ${this.#rowsMax} rows: split the file by time`);
    }
    const user = this.#texts.ids.intern(whole.userId);
    const type = this.#texts.words.intern(whole.eventType);
    const key = this.#texts.orders.intern(toOrderKey(whole, user));
    const order = key !== 0 && isOrderType(whole.eventType) ? this.#orderOfKey[whole.eventType].at(key) - 1 : -1;
    const problem = order < 0 ? undefined : this.#findContradiction(order, whole, user);
    if (problem !== undefined) return problem;
    this.#rows.next.push(NONE);
    this.#rows.item.push(this.#texts.words.intern(row.itemId));
    this.#rows.quantity.push(row.quantity ?? Number.NaN);
    this.#rows.value.push(row.value ?? Number.NaN);
    if (order < 0) this.#open(whole, { line, index, user, type, key });
    else this.#append(order, whole, index);
    if (key !== 0 && whole.eventType === 'return') this.#nameReturn(index, toReturnHash(whole));
    return undefined;
  }

  timestampMs(order: number): number {
    return this.#orders.time.at(order);
  }

  line(order: number): number {
    return this.#orders.line.at(order);
  }

  eventType(order: number): string {
    return this.#texts.words.text(this.#orders.type.at(order)) ?? '';
  }

  isLarge(order: number): boolean {
    return this.#orders.weight.at(order) > EVENT_BYTES_MAX;
  }

  /** Index of the order's user. */
  userNumber(order: number): number {
    return this.#orders.user.at(order);
  }

  /** Hash of the order's rows: equal for equal rows. */
  hash(order: number): RowId {
    return { high: this.#orders.high.at(order), low: this.#orders.low.at(order) };
  }

  /** What names the order in any file, though its rows change; undefined where nothing does. */
  orderKey(order: number): RowId | undefined {
    if (this.#orders.key.at(order) === 0) return undefined;
    return toOrderHash({ ...this.#names(order), isRefundTotal: this.isRefundTotal(order) });
  }

  isRefundTotal(order: number): boolean {
    return this.#orders.refundTotal.at(order) === 1;
  }

  /** Rows of the order. */
  rowCount(order: number): number {
    let count = 0;
    for (let row = this.#orders.head.at(order); row !== NONE; row = this.#rows.next.at(row)) count++;
    return count;
  }

  order(order: number): HistoryOrder {
    const items: HistoryItem[] = [];
    const isKeyedReturn = this.#orders.key.at(order) !== 0 && this.eventType(order) === 'return';
    for (let row = this.#orders.head.at(order); row !== NONE; row = this.#rows.next.at(row)) {
      items.push({
        itemId: this.#texts.words.text(this.#rows.item.at(row)),
        quantity: toOptional(this.#rows.quantity.at(row)),
        value: toOptional(this.#rows.value.at(row)),
        ...(isKeyedReturn ? { key: { high: this.#rows.keyHigh.at(row), low: this.#rows.keyLow.at(row) } } : {}),
      });
    }
    return {
      line: this.#orders.line.at(order),
      ...this.#names(order),
      total: toOptional(this.#orders.total.at(order)),
      currency: this.#texts.words.text(this.#orders.currency.at(order)),
      extra: this.#texts.words.text(this.#orders.extra.at(order)),
      isRefundTotal: this.isRefundTotal(order),
      large: this.isLarge(order),
      items,
    };
  }

  /** Who, when and what, and the id that the order's rows have in common. */
  #names(order: number): Pick<HistoryOrder, 'timestampMs' | 'userId' | 'eventType' | 'sessionId' | 'orderId'> {
    const key = this.#texts.orders.text(this.#orders.key.at(order));
    const keyed = key?.slice(key.indexOf(' ') + 1);
    const isOrderId = key?.startsWith(ORDER_ID_KEY);
    return {
      timestampMs: this.#orders.time.at(order),
      userId: this.#texts.ids.text(this.#orders.user.at(order)) ?? '',
      eventType: this.eventType(order),
      sessionId: isOrderId ? undefined : keyed,
      orderId: isOrderId ? keyed : undefined,
    };
  }

  /** The orders by time, then by line: equal times keep the order of the file. */
  sorted(): Uint32Array {
    const { time, line } = this.#orders;
    const numbers = Uint32Array.from({ length: this.length }, (_, number) => number);
    return numbers.sort((a, b) => time.at(a) - time.at(b) || line.at(a) - line.at(b));
  }

  /** Shops write user, time, type and currency on the first line of an order only. */
  #inherit(row: HistoryRow, orderId: string): HistoryRow {
    const key = this.#texts.orders.number(ORDER_ID_KEY + orderId);
    if (key === undefined) return row;
    const first = (this.#orderOfKey.purchase.at(key) || this.#orderOfKey.return.at(key)) - 1;
    if (first < 0) return row;
    return {
      ...row,
      userId: row.userId ?? this.#texts.ids.text(this.#orders.user.at(first)),
      timestampMs: row.timestampMs ?? this.#orders.time.at(first),
      eventType: row.eventType ?? this.eventType(first),
      currency: row.currency ?? this.#texts.words.text(this.#orders.currency.at(first)),
    };
  }

  #findContradiction(order: number, row: WholeRow, user: number): RowProblem | undefined {
    const line = this.#orders.line.at(order);
    const differs = (column: string, own: string, known: string | undefined): RowProblem => ({
      kind: 'order',
      reason: `${column} ${quoteValue(own)} is not ${quoteValue(known ?? '')}, as in line ${line} of the same order`,
    });
    if (this.#orders.user.at(order) !== user) {
      return differs('user_id', row.userId, this.#texts.ids.text(this.#orders.user.at(order)));
    }
    const total = this.#orders.total.at(order);
    if (row.total !== undefined && !Number.isNaN(total) && total !== row.total) {
      const problem = differs('order_total', String(row.total), String(total));
      return { ...problem, reason: `${problem.reason}; if it is the total of the line, map it as value` };
    }
    const currency = this.#texts.words.text(this.#orders.currency.at(order));
    if (row.currency !== undefined && currency !== undefined && currency !== row.currency) {
      return differs('currency', row.currency, currency);
    }
    return undefined;
  }

  #open(row: WholeRow, at: { line: number; index: number; user: number; type: number; key: number }): void {
    const order = this.length;
    if (at.key !== 0 && isOrderType(row.eventType)) this.#orderOfKey[row.eventType].set(at.key, order + 1);
    this.#orders.time.push(row.timestampMs);
    this.#orders.line.push(at.line);
    this.#orders.user.push(at.user);
    this.#orders.type.push(at.type);
    this.#orders.key.push(at.key);
    if (row.extra !== undefined) this.#orders.extra.set(order, this.#texts.words.intern(row.extra));
    this.#orders.head.push(at.index);
    this.#orders.tail.push(at.index);
    this.#orders.weight.push(EVENT_BYTES_BASE + toBytesBound(row));
    const { high, low } = toRowHash(row);
    this.#orders.high.push(high);
    this.#orders.low.push(low);
    this.#noteWorth(order, row);
  }

  #append(order: number, row: WholeRow, index: number): void {
    this.#rows.next.set(this.#orders.tail.at(order), index);
    this.#orders.tail.set(order, index);
    this.#orders.weight.set(order, this.#orders.weight.at(order) + toBytesBound(row));
    if (row.timestampMs < this.#orders.time.at(order)) this.#orders.time.set(order, row.timestampMs);
    this.#noteWorth(order, row);
    const hash = toRowHash(row);
    if (row.id === undefined) this.#addHash(order, hash);
    else this.#keepLowerHash(order, hash);
  }

  #nameReturn(row: number, { high, low }: RowId): void {
    this.#rows.keyHigh.set(row, high);
    this.#rows.keyLow.set(row, low);
  }

  /** A total counts once an order, on whichever of its rows it stands. */
  #noteWorth(order: number, row: WholeRow): void {
    if (row.total !== undefined) this.#orders.total.set(order, row.total);
    if (row.isRefundTotal === true) this.#orders.refundTotal.set(order, 1);
    if (row.currency !== undefined) this.#orders.currency.set(order, this.#texts.words.intern(row.currency));
  }

  /** Of the ids that a column gives to an order's rows one is the order's: the same one in any sequence of the rows. */
  #keepLowerHash(order: number, { high, low }: RowId): void {
    const known = this.hash(order);
    if (known.high < high || (known.high === high && known.low <= low)) return;
    this.#orders.high.set(order, high);
    this.#orders.low.set(order, low);
  }

  #addHash(order: number, { high, low }: RowId): void {
    const sum = this.#orders.low.at(order) + low;
    this.#orders.low.set(order, sum >>> 0);
    this.#orders.high.set(order, (this.#orders.high.at(order) + high + (sum > 0xffff_ffff ? 1 : 0)) >>> 0);
  }
}

function toWhole(row: HistoryRow): WholeRow | RowProblem {
  const { userId, timestampMs, eventType } = row;
  const none = 'and its order has no earlier line with one';
  if (userId === undefined) return { kind: 'user', reason: `has no user_id, ${none}` };
  if (timestampMs === undefined) return { kind: 'time', reason: `has no ts, ${none}` };
  if (eventType === undefined) return { kind: 'type', reason: `has no event_type, ${none}` };
  return row as WholeRow;
}

/** Before an order id; the other keys begin with the number of a user. */
const ORDER_ID_KEY = 'o ';

/** What the rows of one order have in common; rows without it stand alone. */
function toOrderKey({ orderId, sessionId }: HistoryRow, user: number): string | undefined {
  if (orderId !== undefined) return ORDER_ID_KEY + orderId;
  return sessionId === undefined ? undefined : `${user} ${sessionId}`;
}

function toOptional(value: number): number | undefined {
  return Number.isNaN(value) ? undefined : value;
}

/** What a row adds to its event at most: names and numbers, and texts of which JSON may escape each character. */
function toBytesBound(row: WholeRow): number {
  const { userId, eventType, itemId = '', sessionId = '', extra = '' } = row;
  const { orderId = '', currency = '' } = row;
  const texts = userId.length + eventType.length + itemId.length + sessionId.length + extra.length;
  return 120 + 6 * (texts + orderId.length + currency.length);
}
