import { toHash64 } from '@perennial/feature-engine';
import { AppError } from '@perennial/kernel';
import type { HistoryRow } from './row.js';

/** Id of an event made of rows: 64 bits, as two unsigned halves. */
export interface RowId {
  readonly high: number;
  readonly low: number;
}

/** Separates fields: a control character, which no field of a table has by intention. */
const FIELD_END = '\u001F';

/**
 * What makes a row the same row in any file at any time: its content as read (so that another encoding, separator, time
 * format or order of columns changes nothing), or the text of the column that names it.
 */
export function toRowHash(row: HistoryRow): RowId {
  if (row.id !== undefined) return toHash64(`id${FIELD_END}${row.eventType}${FIELD_END}${row.id}`);
  const { userId, timestampMs, eventType, itemId = '', sessionId = '', orderId = '', quantity = '', value = '' } = row;
  const { total = '', currency = '', extra = '' } = row;
  return toHash64(
    `${userId}${FIELD_END}${timestampMs}${FIELD_END}${eventType}${FIELD_END}${itemId}${FIELD_END}${sessionId}${FIELD_END}` +
      `${orderId}${FIELD_END}${quantity}${FIELD_END}${value}${FIELD_END}${total}${FIELD_END}${currency}${FIELD_END}${extra}`,
  );
}

/** What names an order. */
interface NamedOrder {
  readonly eventType: string;
  readonly userId: string;
  readonly orderId: string | undefined;
  readonly sessionId: string | undefined;
  readonly timestampMs: number;
  readonly isRefundTotal: boolean;
}

/**
 * What names an order, though its rows or amounts change: its id, or its user, session and beginning, since many exports
 * number their sessions from 1. Undefined for returns row by row, whose rows have names of their own (`toReturnHash`).
 */
export function toOrderHash(order: NamedOrder): RowId | undefined {
  const { eventType, userId, orderId, sessionId, timestampMs, isRefundTotal } = order;
  if (eventType !== 'purchase' && !isRefundTotal) return undefined;
  const name = orderId === undefined ? ['session', userId, sessionId, timestampMs] : ['order', userId, orderId];
  return toHash64([eventType, ...name].join(FIELD_END));
}

/** What names a row of returns, though its amount changes: its order or session, time and item, or the id that a column gives. */
export function toReturnHash(row: HistoryRow): RowId {
  if (row.id !== undefined) return toRowHash(row);
  const { userId, timestampMs, itemId = '', sessionId = '', orderId } = row;
  const name = orderId === undefined ? ['session', sessionId] : ['order', orderId];
  return toHash64(['return row', userId, ...name, timestampMs, itemId].join(FIELD_END));
}

/** What names the returns of an order as a whole, whichever rows of them a file has. */
export function toReturnsHash(userId: string, orderId: string): RowId {
  return toHash64(['returns', userId, 'order', orderId].join(FIELD_END));
}

/** The text form: 16 hex digits. */
export function toIdText({ high, low }: RowId): string {
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}

/** Most events of a file: the table of ids has 2^26 slots at most. */
const IDS_MAX = 2 ** 25;
const EMPTY = 0;

/** The ids of a file's events by their number, and the number by the id. 8 bytes an event, and 6 to 12 of slots. */
export class RowIds {
  readonly #high: Uint32Array;
  readonly #low: Uint32Array;
  readonly #slots: Uint32Array;
  readonly #mask: number;
  #length = 0;

  constructor(capacity: number) {
    if (capacity > IDS_MAX) throw new AppError('limit_exceeded', `more than ${IDS_MAX} events: split the file by time`);
    this.#high = new Uint32Array(capacity);
    this.#low = new Uint32Array(capacity);
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(Math.max(2, capacity * 1.5))));
    this.#mask = this.#slots.length - 1;
  }

  get length(): number {
    return this.#length;
  }

  at(index: number): RowId {
    return { high: this.#high[index] as number, low: this.#low[index] as number };
  }

  /** Index of the event with this id, -1 when there is none. */
  find({ high, low }: RowId): number {
    return this.#atSlot(this.#findSlot(high, low));
  }

  /** Appends an id that `find` does not know. */
  push({ high, low }: RowId): void {
    this.#high[this.#length] = high;
    this.#low[this.#length] = low;
    this.#length++;
    this.#slots[this.#findSlot(high, low)] = this.#length;
  }

  #atSlot(slot: number): number {
    return (this.#slots[slot] as number) - 1;
  }

  /** The slot of the id, or the empty one where it would be. */
  #findSlot(high: number, low: number): number {
    let slot = (low ^ Math.imul(high, 0x9e3779b1)) & this.#mask;
    for (;;) {
      if (this.#slots[slot] === EMPTY) return slot;
      const index = this.#atSlot(slot);
      if (this.#low[index] === low && this.#high[index] === high) return slot;
      slot = (slot + 1) & this.#mask;
    }
  }
}

/** Gives equal contents different ids: the first keeps its own, each later one has its ordinal mixed in. */
export class Ordinals {
  readonly #counts = new Map<string, number>();

  next(id: RowId): RowId {
    const text = toIdText(id);
    const ordinal = (this.#counts.get(text) ?? 0) + 1;
    this.#counts.set(text, ordinal);
    return toHash64(`${text}${FIELD_END}${ordinal}`);
  }
}
