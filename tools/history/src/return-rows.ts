import { toHash64 } from '@perennial/feature-engine';
import { toRevenue } from './event.js';
import type { HistoryItem, HistoryOrder } from './order-table.js';
import { type RowId, toIdText, toReturnsHash } from './row-id.js';

/** Rows of one refund that have one order or session, time and item. */
export interface ReturnPart {
  readonly key: RowId;
  /** Their amount, positive; their number where an amount is unknown; the refund's total where the file has one; NaN for rows with ids and no total. */
  readonly amount: number;
}

/** What is new in a refund of which rows were sent before. */
export interface FurtherReturn {
  /** The refund of what is new only. */
  readonly order: HistoryOrder;
  /** The parts that it sends; empty when nothing is new. */
  readonly sent: readonly ReturnPart[];
  /** Which further refund it is: the same text when the same rows come again after the same ones. */
  readonly name: string;
  /** True when more was sent before than the file has now. */
  readonly isLess: boolean;
}

/** Amount that was sent of a part; undefined where nothing was. */
export type SentAmount = (key: RowId) => number | undefined;

/** Where a column names rows, a part is known or not: another amount does not make it grow. */
interface Naming {
  readonly hasIds: boolean;
}

/**
 * The rows of a refund as the ledger keeps them, and last an order's returns as a whole, so that a file with other rows
 * only is known as a further return; none for other events, and for a refund that has all that was paid back.
 */
export function toReturnParts(order: HistoryOrder, naming: Naming): ReturnPart[] {
  const rows = toRowParts(order, naming);
  return rows.length === 0 ? [] : [...rows, ...toWhole(order)];
}

/** None of a session: many exports number theirs from 1, and the session 1 of another month has returns of its own. */
function toWhole(order: HistoryOrder): ReturnPart[] {
  const { userId, orderId } = order;
  return orderId === undefined ? [] : [{ key: toReturnsHash(userId, orderId), amount: toRevenueOfAll(order) }];
}

/** What is new in a refund; undefined when the order has none that was sent before. */
export function toFurtherReturn(order: HistoryOrder, known: SentAmount, naming: Naming): FurtherReturn | undefined {
  const parts = toReturnParts(order, naming);
  if (parts.every(({ key }) => known(key) === undefined)) return undefined;
  if (order.total === undefined) return toFurtherRows(order, parts, known);
  return toFurtherTotal(order, { parts, total: toRevenue(order) ?? 0, known, mayGrow: !naming.hasIds });
}

function toRowParts(order: HistoryOrder, { hasIds }: Naming): ReturnPart[] {
  return [...toGroups(order).values()].map(({ key, items }) => toPart(order, { key, items, hasIds }));
}

/** The total that the file gives; NaN where it gives the rows' amounts only. */
function toRevenueOfAll(order: HistoryOrder): number {
  return order.total === undefined ? Number.NaN : (toRevenue(order) ?? Number.NaN);
}

function toFurtherRows(order: HistoryOrder, parts: readonly ReturnPart[], known: SentAmount): FurtherReturn {
  const groups = [...toGroups(order).values()];
  const items: HistoryItem[] = [];
  const sent: ReturnPart[] = [];
  let isLess = false;
  for (const [at, { items: own }] of groups.entries()) {
    const part = parts[at] as ReturnPart;
    const before = known(part.key);
    if (before === undefined) items.push(...own);
    else if (isMore(part.amount, before)) items.push(...toRest(own, before));
    else {
      isLess ||= isMore(before, part.amount);
      continue;
    }
    sent.push(part);
  }
  if (sent.length > 0) sent.push(...toWhole(order).filter(({ key }) => known(key) === undefined));
  return { order: { ...order, items }, sent, name: toName(sent, known), isLess };
}

/** The file says what the rows are worth together: what the total has grown by is new. */
function toFurtherTotal(
  order: HistoryOrder,
  input: { parts: readonly ReturnPart[]; total: number; known: SentAmount; mayGrow: boolean },
): FurtherReturn {
  const { parts, total, known, mayGrow } = input;
  const before = Math.max(...parts.map(({ key }) => known(key) || 0));
  const items = order.items.filter(({ key }) => key !== undefined && known(key) === undefined);
  const hasNew = parts.slice(0, parts.length - toWhole(order).length).some(({ key }) => known(key) === undefined);
  const sent = isMore(total, before) && (hasNew || mayGrow) ? parts : [];
  const isLess = sent.length === 0 && (hasNew || (mayGrow && isMore(before, total)));
  return { order: { ...order, total: subtract(total, before), items }, sent, name: toName(sent, known), isLess };
}

function toName([first]: readonly ReturnPart[], known: SentAmount): string {
  return first === undefined ? '' : `${toIdText(first.key)}-${known(first.key) ?? 0}`;
}

function toGroups({ items, isRefundTotal }: HistoryOrder): Map<string, { key: RowId; items: HistoryItem[] }> {
  const groups = new Map<string, { key: RowId; items: HistoryItem[] }>();
  for (const item of isRefundTotal ? [] : items) {
    if (item.key === undefined) continue;
    const text = toIdText(item.key);
    const group = groups.get(text);
    if (group === undefined) groups.set(text, { key: item.key, items: [item] });
    else group.items.push(item);
  }
  return groups;
}

function toPart(
  order: HistoryOrder,
  { key, items, hasIds }: { key: RowId; items: readonly HistoryItem[] } & Naming,
): ReturnPart {
  if (hasIds && order.total === undefined) return { key, amount: Number.NaN };
  const amount = toRevenue({ ...order, items });
  // Another key, so that a number of rows is never compared with an amount.
  if (amount === undefined) return { key: toHash64(`${toIdText(key)} rows`), amount: items.length };
  return { key, amount };
}

/** The rows after those that make up what was sent; the one in which that ends has what is more, and no quantity. */
function toRest(items: readonly HistoryItem[], sent: number): HistoryItem[] {
  if (items.some(({ value }) => value === undefined)) return items.slice(sent);
  const rest: HistoryItem[] = [];
  let left = sent;
  for (const item of items) {
    const value = Math.abs(item.value ?? 0);
    if (left > 0 && !isMore(value, left)) left = Math.max(0, subtract(left, value));
    else if (left > 0) {
      rest.push({ ...item, quantity: undefined, value: subtract(value, left) * Math.sign(item.value ?? 0) });
      left = 0;
    } else rest.push(item);
  }
  return rest;
}

/** A double keeps 15 digits of any decimal: rounding to them removes the error of subtracting cents in binary. */
export function subtract(from: number, what: number): number {
  return Number((from - what).toPrecision(15));
}

/** By more than the sums of the same rows in another sequence differ; false where one is unknown. */
function isMore(one: number, other: number): boolean {
  return one - other > 1e-9 * Math.max(1, Math.abs(one));
}
