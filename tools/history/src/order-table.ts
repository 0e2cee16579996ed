import { AppError } from '@perennial/kernel';
import { createFloatColumn, createIndexColumn, TextPool } from './column-store.js';
import type { HistoryRow } from './row.js';

/** Rows of one file; about 50 bytes each, so this is 1 GB. */
const ROWS_MAX = 20_000_000;

/** Ingest accepts 32 KiB an event; this leaves some room for what ingest adds. */
export const EVENT_BYTES_MAX = 32_000;

/** Bytes of an event besides its texts and products: names, time, message id with a file name of 255 bytes. */
const EVENT_BYTES_BASE = 1_200;

const NONE = 0xffff_ffff;

/** Types whose rows of one user and session form one order. */
type OrderType = 'purchase' | 'return';

/** One order (or one row of another type), assembled from its rows. */
export interface HistoryOrder {
  /** Line of its first row in the file. */
  readonly line: number;
  readonly timestampMs: number;
  readonly userId: string;
  readonly eventType: string;
  readonly sessionId: string | undefined;
  readonly extra: string | undefined;
  /** True when its event may exceed the limit of bytes, so that only these need measuring. */
  readonly large: boolean;
  readonly items: readonly HistoryItem[];
}

export interface HistoryItem {
  readonly itemId: string | undefined;
  readonly quantity: number | undefined;
  readonly value: number | undefined;
}

/**
 * Rows, grouped into orders as they are added: rows with one user, one session and the same type, `purchase` or
 * `return`, are one order at the time of the earliest of them. Every other row stands alone. Stored in columns of
 * numbers.
 */
export class OrderTable {
  readonly #texts = {
    ids: new TextPool('user ids'),
    words: new TextPool('item ids'),
    orders: new TextPool('sessions'),
  };
  readonly #rows = {
    next: createIndexColumn(),
    item: createIndexColumn(),
    quantity: createFloatColumn(),
    value: createFloatColumn(),
  };
  readonly #orders = {
    time: createFloatColumn(),
    line: createIndexColumn(),
    user: createIndexColumn(),
    type: createIndexColumn(),
    session: createIndexColumn(),
    extra: createIndexColumn(),
    head: createIndexColumn(),
    tail: createIndexColumn(),
    /** Upper bound of the event's bytes. */
    weight: createFloatColumn(),
  };
  readonly #orderOfSession = new Map<number, number>();
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

  /** Adds one row; throws `limit_exceeded` past the limit of rows. */
  add(row: HistoryRow, line: number): void {
    const index = this.#rows.next.length;
    if (index >= this.#rowsMax) {
      throw new AppError('limit_exceeded', `more than ${this.#rowsMax} rows: split the file by time`);
    }
    this.#rows.next.push(NONE);
    this.#rows.item.push(this.#texts.words.intern(row.itemId));
    this.#rows.quantity.push(row.quantity ?? Number.NaN);
    this.#rows.value.push(row.value ?? Number.NaN);
    const user = this.#texts.ids.intern(row.userId);
    const type = this.#texts.words.intern(row.eventType);
    const order = isOrderType(row.eventType) ? this.#findOrder(row, user, type) : undefined;
    if (order === undefined) this.#open(row, { line, index, user, type });
    else this.#append(order, row, index);
  }

  timestampMs(order: number): number {
    return this.#orders.time.at(order);
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

  order(order: number): HistoryOrder {
    const items: HistoryItem[] = [];
    for (let row = this.#orders.head.at(order); row !== NONE; row = this.#rows.next.at(row)) {
      items.push({
        itemId: this.#texts.words.text(this.#rows.item.at(row)),
        quantity: toOptional(this.#rows.quantity.at(row)),
        value: toOptional(this.#rows.value.at(row)),
      });
    }
    const sessionKey = this.#texts.orders.text(this.#orders.session.at(order));
    return {
      line: this.#orders.line.at(order),
      timestampMs: this.#orders.time.at(order),
      userId: this.#texts.ids.text(this.#orders.user.at(order)) ?? '',
      eventType: this.eventType(order),
      sessionId: sessionKey?.slice(sessionKey.indexOf(' ') + 1),
      extra: this.#texts.words.text(this.#orders.extra.at(order)),
      large: this.isLarge(order),
      items,
    };
  }

  /** The orders by time, then by line: equal times keep the order of the file. */
  sorted(): Uint32Array {
    const { time, line } = this.#orders;
    const numbers = Uint32Array.from({ length: this.length }, (_, number) => number);
    return numbers.sort((a, b) => time.at(a) - time.at(b) || line.at(a) - line.at(b));
  }

  #findOrder(row: HistoryRow, user: number, type: number): number | undefined {
    if (row.sessionId === undefined) return undefined;
    return this.#orderOfSession.get(this.#texts.orders.intern(toSessionKey(row.sessionId, user, type)));
  }

  #open(row: HistoryRow, at: { line: number; index: number; user: number; type: number }): void {
    const session =
      row.sessionId === undefined ? 0 : this.#texts.orders.intern(toSessionKey(row.sessionId, at.user, at.type));
    if (session !== 0 && isOrderType(row.eventType)) this.#orderOfSession.set(session, this.length);
    this.#orders.time.push(row.timestampMs);
    this.#orders.line.push(at.line);
    this.#orders.user.push(at.user);
    this.#orders.type.push(at.type);
    this.#orders.session.push(session);
    this.#orders.extra.push(this.#texts.words.intern(row.extra));
    this.#orders.head.push(at.index);
    this.#orders.tail.push(at.index);
    this.#orders.weight.push(EVENT_BYTES_BASE + toBytesBound(row));
  }

  #append(order: number, row: HistoryRow, index: number): void {
    this.#rows.next.set(this.#orders.tail.at(order), index);
    this.#orders.tail.set(order, index);
    this.#orders.weight.set(order, this.#orders.weight.at(order) + toBytesBound(row));
    if (row.timestampMs < this.#orders.time.at(order)) this.#orders.time.set(order, row.timestampMs);
  }
}

function isOrderType(eventType: string): eventType is OrderType {
  return eventType === 'purchase' || eventType === 'return';
}

function toSessionKey(sessionId: string, user: number, type: number): string {
  return `${type}/${user} ${sessionId}`;
}

function toOptional(value: number): number | undefined {
  return Number.isNaN(value) ? undefined : value;
}

/** What a row adds to its event at most: names and numbers, and texts of which JSON may escape each character. */
function toBytesBound({ userId, eventType, itemId = '', sessionId = '', extra = '' }: HistoryRow): number {
  return 120 + 6 * (userId.length + eventType.length + itemId.length + sessionId.length + extra.length);
}
