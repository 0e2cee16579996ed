import type { HistoryItem, HistoryOrder } from './order-table.js';
import { EVENT_BYTES_MAX } from './order-table.js';

/** A call in the shape of Segment's HTTP API. */
export interface SegmentTrack {
  readonly type: 'track';
  readonly messageId: string;
  readonly userId: string;
  readonly event: string;
  /** ISO 8601, UTC. */
  readonly timestamp: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** An order as an event for the front door, or undefined when it is too large for one. */
export function toSegmentTrack(order: HistoryOrder, messageId: string): SegmentTrack | undefined {
  const full = toTrack(order, messageId, toProduct);
  if (fits(full, order)) return full;
  const short = toTrack(order, messageId, toShortProduct);
  return fits(short, order) ? short : undefined;
}

function toTrack(
  order: HistoryOrder,
  messageId: string,
  toEntry: (item: HistoryItem, itemId: string) => Record<string, unknown>,
): SegmentTrack {
  const base = {
    type: 'track' as const,
    messageId,
    userId: order.userId,
    timestamp: new Date(order.timestampMs).toISOString(),
  };
  const { currency, extra } = order;
  const more = { ...(currency === undefined ? {} : { currency }), ...(extra === undefined ? {} : { extra }) };
  switch (order.eventType) {
    case 'purchase':
    case 'return': {
      const event = order.eventType === 'purchase' ? 'Order Completed' : 'Order Refunded';
      const revenue = toRevenue(order);
      const products = order.items.flatMap((item) => (item.itemId === undefined ? [] : [toEntry(item, item.itemId)]));
      const properties = {
        order_id: order.orderId ?? order.sessionId ?? messageId,
        ...(revenue === undefined ? {} : { revenue }),
        ...(products.length === 0 ? {} : { products }),
        ...(products.length === 0 ? sumQuantities(order.items) : {}),
        ...more,
      };
      return { ...base, event, properties };
    }
    default:
      return { ...base, event: order.eventType, properties: { ...toRowProperties(order), ...more } };
  }
}

/** What the file says that the order is worth, else the sum of its rows; of a refund the amount, positive. */
export function toRevenue({ total, items, eventType }: HistoryOrder): number | undefined {
  const revenue = total ?? sumValues(items);
  return revenue !== undefined && eventType === 'return' ? Math.abs(revenue) : revenue;
}

/** The sum, unknown as soon as one part is unknown. */
function sumValues(items: readonly HistoryItem[]): number | undefined {
  let sum = 0;
  for (const { value } of items) {
    if (value === undefined) return undefined;
    sum += value;
  }
  // A double keeps 15 digits of any decimal: rounding to them removes the error of adding cents in binary.
  const clean = items.length > 1 ? Number(sum.toPrecision(15)) : sum;
  return Number.isFinite(clean) ? clean : undefined;
}

function toProduct(item: HistoryItem, itemId: string): Record<string, unknown> {
  const { quantity, value } = item;
  const price = value === undefined || !quantity ? undefined : Number(Math.abs(value / quantity).toPrecision(9));
  return { ...toShortProduct(item, itemId), ...(price === undefined ? {} : { price }) };
}

function toShortProduct(item: HistoryItem, itemId: string): Record<string, unknown> {
  return { product_id: itemId, ...toQuantity(item) };
}

function toQuantity(item: HistoryItem | undefined): { quantity?: number } {
  return item?.quantity === undefined ? {} : { quantity: Math.abs(item.quantity) };
}

/** Quantity of an order whose rows name no items. */
function sumQuantities(items: readonly HistoryItem[]): { quantity?: number } {
  const known = items.flatMap(({ quantity }) => (quantity === undefined ? [] : [quantity]));
  return known.length === 0 ? {} : { quantity: Math.abs(known.reduce((sum, quantity) => sum + quantity, 0)) };
}

function toRowProperties(order: HistoryOrder): Record<string, unknown> {
  const [item] = order.items;
  return {
    ...(item?.itemId === undefined ? {} : { product_id: item.itemId }),
    ...(order.orderId === undefined ? {} : { order_id: order.orderId }),
    ...(order.sessionId === undefined ? {} : { session_id: order.sessionId }),
    ...(item?.quantity === undefined ? {} : { quantity: item.quantity }),
    ...(item?.value === undefined ? {} : { value: item.value }),
  };
}

function fits(track: SegmentTrack, order: HistoryOrder): boolean {
  return !order.large || Buffer.byteLength(JSON.stringify(track)) <= EVENT_BYTES_MAX;
}
