import type { RowId } from '@perennial/history';
import { ID_BYTES, type LedgerEntry, ORDER_BYTES } from './row-ledger.js';

/** An order, all that was paid back of it, or rows of its returns, as they were sent. */
export interface SentOrder {
  readonly key: RowId;
  /** NaN where it is unknown. */
  readonly amount: number;
}

/** One event that was sent. */
export interface SentRow {
  readonly id: RowId;
  readonly orders: readonly SentOrder[];
}

export function encodeEntry(rows: readonly SentRow[]): LedgerEntry {
  const orders = rows.flatMap(({ orders }) => orders);
  return { ids: encodeIds(rows.map(({ id }) => id)), orders: encodeOrders(orders) };
}

export function encodeOrders(orders: readonly SentOrder[]): Buffer {
  const bytes = Buffer.allocUnsafe(orders.length * ORDER_BYTES);
  for (const [index, { key, amount }] of orders.entries()) {
    writeId(bytes, key, index * ORDER_BYTES);
    bytes.writeDoubleBE(amount, index * ORDER_BYTES + ID_BYTES);
  }
  return bytes;
}

export function* decodeIds(bytes: Buffer): Generator<RowId> {
  for (let at = 0; at + ID_BYTES <= bytes.length; at += ID_BYTES) yield readId(bytes, at);
}

export function* decodeOrders(bytes: Buffer): Generator<SentOrder> {
  for (let at = 0; at + ORDER_BYTES <= bytes.length; at += ORDER_BYTES) {
    yield { key: readId(bytes, at), amount: bytes.readDoubleBE(at + ID_BYTES) };
  }
}

function encodeIds(ids: readonly RowId[]): Buffer {
  const bytes = Buffer.allocUnsafe(ids.length * ID_BYTES);
  for (const [index, id] of ids.entries()) writeId(bytes, id, index * ID_BYTES);
  return bytes;
}

function writeId(bytes: Buffer, { high, low }: RowId, at: number): void {
  bytes.writeUInt32BE(high, at);
  bytes.writeUInt32BE(low, at + 4);
}

function readId(bytes: Buffer, at: number): RowId {
  return { high: bytes.readUInt32BE(at), low: bytes.readUInt32BE(at + 4) };
}
