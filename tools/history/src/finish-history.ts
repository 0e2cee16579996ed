import { type SegmentTrack, toRevenue, toSegmentTrack } from './event.js';
import type { History } from './history.js';
import { EVENT_BYTES_MAX, type HistoryOrder, type OrderTable } from './order-table.js';
import { subtract, toFurtherReturn, toReturnParts } from './return-rows.js';
import { Ordinals, RowIds, toIdText } from './row-id.js';
import type { BadRowCounter } from './row-problem.js';

export interface FinishInput
  extends Pick<History, 'fileName' | 'sha256' | 'rows' | 'leftOut' | 'eventTypes' | 'dialect'> {
  readonly bad: BadRowCounter;
  readonly table: OrderTable;
  /** True when a column names the rows: then equal ids are one event, and not two. */
  readonly hasIds: boolean;
}

/** The events of a table in order of time, each with its id. */
export function toHistory({ bad, table, hasIds, ...input }: FinishInput): History {
  const sorted = dropOversized(table, bad);
  const { ids, numbers } = toRowIds(table, sorted, hasIds);
  const counts = { orders: 0, refunds: 0, others: 0 };
  for (const number of numbers) counts[toCount(table.eventType(number))]++;
  const at = (index: number): number => {
    const number = numbers[index];
    if (number === undefined) throw new RangeError(`there is no event ${index} of ${numbers.length}`);
    return number;
  };
  const toEvent = (index: number, order: HistoryOrder, suffix = ''): SegmentTrack => {
    const track = toSegmentTrack(order, toMessageId(toIdText(ids.at(index))) + suffix);
    if (track === undefined) throw new Error(`assertion failed: event ${index} was measured and fits`);
    return track;
  };
  return {
    ...input,
    badRows: bad.result(),
    sameId: sorted.length - numbers.length,
    users: table.users,
    counts,
    length: numbers.length,
    timestampMs: (index) => table.timestampMs(at(index)),
    userNumber: (index) => table.userNumber(at(index)),
    order: (index) => table.order(at(index)),
    line: (index) => table.line(at(index)),
    orderKey: (index) => table.orderKey(at(index)),
    isRefundTotal: (index) => table.isRefundTotal(at(index)),
    amount: (index) => toRevenue(table.order(at(index))),
    rowCount: (index) => table.rowCount(at(index)),
    rowId: (index) => ids.at(index),
    find: (id) => ids.find(id),
    event: (index) => toEvent(index, table.order(at(index))),
    returnParts: (index) => toReturnParts(table.order(at(index)), { hasIds }),
    furtherTotal: (index, known) => {
      const order = table.order(at(index));
      const further = { ...order, total: subtract(toRevenue(order) ?? 0, known) };
      return toFurtherRefund(toEvent(index, further, `-${known}`));
    },
    furtherReturn: (index, known) => {
      const further = toFurtherReturn(table.order(at(index)), known, { hasIds });
      if (further === undefined) return undefined;
      const { order, name, sent, isLess } = further;
      return { event: toFurtherRefund(toEvent(index, order, `-${name}`)), sent, isLess };
    },
  };
}

/** The platform takes refunds of one order with one amount for one: a further one has an id as a refund, too. */
function toFurtherRefund(event: SegmentTrack): SegmentTrack {
  return { ...event, properties: { ...event.properties, refund_id: event.messageId } };
}

function toMessageId(id: string): string {
  return `row-${id}`;
}

function toRowIds(table: OrderTable, sorted: Uint32Array, hasIds: boolean): { ids: RowIds; numbers: Uint32Array } {
  const ids = new RowIds(sorted.length);
  const ordinals = new Ordinals();
  const numbers = sorted.filter((number) => {
    const own = table.hash(number);
    const isNew = ids.find(own) < 0;
    if (isNew || !hasIds) ids.push(isNew ? own : ordinals.next(own));
    return isNew || !hasIds;
  });
  return { ids, numbers };
}

/** Orders too large for an event are reported as bad rows before anything is sent. */
function dropOversized(table: OrderTable, bad: BadRowCounter): Uint32Array {
  return table.sorted().filter((number) => {
    if (!table.isLarge(number)) return true;
    const order = table.order(number);
    if (toSegmentTrack(order, toMessageId('0'.repeat(16))) !== undefined) return true;
    const reason = `begins an order of ${order.items.length} rows, more than ${EVENT_BYTES_MAX} bytes`;
    bad.add(order.line, { kind: 'size', reason });
    return false;
  });
}

function toCount(eventType: string): 'orders' | 'refunds' | 'others' {
  if (eventType === 'purchase') return 'orders';
  return eventType === 'return' ? 'refunds' : 'others';
}
