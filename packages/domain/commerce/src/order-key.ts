import { readField } from './fields.js';
import { ORDER_COMPLETED, ORDER_REFUNDED, readWorth } from './worth.js';

/** Properties that hold the shop's id of an order: Segment's, and the forms that others send. */
const ORDER_ID_FIELDS: readonly string[] = ['order_id', 'orderId', 'transaction_id'];
const REFUND_ID_FIELDS: readonly string[] = ['refund_id', 'refundId'];

/** What clients send when they have no id: many orders with one of these are not one order. */
const PLACEHOLDER =
  /^(?:[("'<[{]?(?:undefined|null|none|nil|nan|#?n\/a|na|unknown|not[ _-]set|test|true|false)[)"'>\]}]?|0+|-1|\\n|\[object \w+\])$/i;
/** Punctuation alone, and templates that nobody filled in. */
const EMPTY = /^(?:[!-/:-@[-`{-~]+|\{\{.*\}\}|\$\{.*\}|<%.*%>)$/;

/** Longer ids need no look: a UUID is one. */
const PLACEHOLDER_CHARS_MAX = 32;

/** Longer ids are no ids of a shop. */
const ID_CHARS_MAX = 256;

/**
 * A text that is equal for two messages about the same order, or the same refund; undefined for other events and for
 * those without an id. An order and its refund differ. Refunds of one order are the same when they have one refund id;
 * without such an id, when they have the same amount.
 */
export function toOrderKey(name: string, properties: unknown): string | undefined {
  if (name !== ORDER_COMPLETED && name !== ORDER_REFUNDED) return undefined;
  const orderId = readId(properties, ORDER_ID_FIELDS);
  if (orderId === undefined) return undefined;
  // Cheaper than JSON of the parts, which refunds need, having more of them.
  if (name === ORDER_COMPLETED) return `${name} ${orderId}`;
  const refundId = readId(properties, REFUND_ID_FIELDS);
  if (refundId !== undefined) return JSON.stringify([name, orderId, refundId]);
  const worth = readWorth(name, properties);
  return JSON.stringify([name, orderId, null, worth.kind === 'amount' ? Math.abs(worth.amount) : null]);
}

function readId(properties: unknown, fields: readonly string[]): string | undefined {
  for (const field of fields) {
    const value = readField(properties, field);
    const text = typeof value === 'number' && Number.isFinite(value) ? String(value) : value;
    if (typeof text !== 'string' || text.length > ID_CHARS_MAX) continue;
    const id = text.trim();
    if (id !== '' && !isPlaceholder(id)) return id;
  }
  return undefined;
}

function isPlaceholder(id: string): boolean {
  return id.length <= PLACEHOLDER_CHARS_MAX && (PLACEHOLDER.test(id) || EMPTY.test(id));
}
