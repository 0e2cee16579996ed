import { type AmountReading, parseAmount } from './amount.js';
import { readField } from './fields.js';

/** Names of the track events for an order and for a refund, as in Segment's e-commerce spec. */
export const ORDER_COMPLETED = 'Order Completed';
export const ORDER_REFUNDED = 'Order Refunded';

/**
 * The fields in which an order's worth is looked for, in this order; the first that holds anything is read, and no other.
 * `revenue` comes first because Segment's spec defines it as what the shop earns (without shipping and tax); `total`
 * (with both) stands in where it is missing, then `value` (GA4, Meta), then `subtotal`.
 */
const ORDER_FIELDS: readonly string[] = ['revenue', 'total', 'value', 'subtotal'];

/** A partial refund may carry the whole order's total beside what was refunded. */
const REFUND_FIELDS: readonly string[] = ['refund_amount', ...ORDER_FIELDS];

/** Every property that may hold what an order or a refund is worth. */
export const WORTH_FIELDS = REFUND_FIELDS;

/** Maximum products that are added up; an order with more is worth what its other fields say. */
const PRODUCTS_MAX = 1_000;

/** What an order event is worth, as it was sent: the field it was found in, and the amount or what is wrong with it. */
export type Worth =
  | { readonly kind: 'amount'; readonly field: string; readonly amount: number }
  | { readonly kind: 'none' }
  | { readonly kind: 'invalid'; readonly field: string; readonly value: unknown }
  | { readonly kind: 'out_of_range'; readonly field: string; readonly value: unknown };

/** True for the events whose money is read. */
export function isOrderEvent(name: string): boolean {
  return name === ORDER_COMPLETED || name === ORDER_REFUNDED;
}

/**
 * Reads what an order (or refund) is worth: the first of its fields that holds anything, else the sum of its products'
 * price times quantity, if every one has a price. The sign is as sent.
 */
export function readWorth(name: string, properties: unknown): Worth {
  if (!isOrderEvent(name)) return { kind: 'none' };
  for (const field of name === ORDER_REFUNDED ? REFUND_FIELDS : ORDER_FIELDS) {
    const value = readField(properties, field);
    const reading = parseAmount(value);
    if (reading.kind !== 'none') return toWorth(reading, field, value);
  }
  return sumProducts(readField(properties, 'products'));
}

function toWorth(reading: Exclude<AmountReading, { kind: 'none' }>, field: string, value: unknown): Worth {
  return reading.kind === 'amount' ? { ...reading, field } : { kind: reading.kind, field, value };
}

function sumProducts(products: unknown): Worth {
  if (!Array.isArray(products) || products.length === 0 || products.length > PRODUCTS_MAX) return { kind: 'none' };
  let sum = 0;
  let isComplete = true;
  for (const [index, product] of products.entries()) {
    const price = readPart(product, { name: 'price', index });
    const quantity = readPart(product, { name: 'quantity', index });
    if (price.kind === 'invalid' || price.kind === 'out_of_range') return price;
    if (quantity.kind === 'invalid' || quantity.kind === 'out_of_range') return quantity;
    if (price.kind === 'none') isComplete = false;
    else sum += price.amount * (quantity.kind === 'none' ? 1 : quantity.amount);
  }
  if (!isComplete) return { kind: 'none' };
  // A double keeps 15 digits of any decimal: rounding to them removes the error of adding cents in binary.
  const reading = parseAmount(Number(sum.toPrecision(15)));
  return reading.kind === 'none' ? reading : toWorth(reading, 'products', sum);
}

function readPart(product: unknown, { name, index }: { name: string; index: number }): Worth {
  const value = readField(product, name);
  const reading = parseAmount(value);
  return reading.kind === 'none' ? reading : toWorth(reading, `products[${index}].${name}`, value);
}
