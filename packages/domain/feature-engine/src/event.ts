import { AppError } from '@perennial/kernel';

/** An event as the engine folds it. */
export interface FeatureEvent {
  /** Unique within the profile; a repeat changes nothing. Never empty. */
  readonly messageId: string;
  /** track, identify, page, screen ...: every type counts as an event. */
  readonly type: string;
  /** Name of a track event, compared exactly (case and all). */
  readonly name: string;
  readonly timestampMs: number;
  /** Properties of a track event; anything but an object is taken for none. */
  readonly properties: unknown;
}

/** Name of a track event that is an order, and of one that takes goods back, as in Segment's e-commerce spec. */
export const ORDER_COMPLETED = 'Order Completed';
export const ORDER_REFUNDED = 'Order Refunded';

/** Amounts beyond this are taken for unknown: 900 of the greatest still add up exactly in units of 1e-4. */
export const AMOUNT_MAX = 1e9;

/** Money is added up in whole units of 1e-4. */
export const UNITS_PER_AMOUNT = 1e4;

/** What an event means to the features. */
export type EventMeaning =
  | { readonly kind: 'order'; readonly revenueUnits: number; readonly productIds: readonly string[] }
  | { readonly kind: 'refund'; readonly amountUnits: number }
  | { readonly kind: 'other' };

const OTHER: EventMeaning = { kind: 'other' };

/** Checks what the engine relies on; throws `contract_violation` so that a processor dead-letters the record. */
export function checkEvent(event: FeatureEvent): void {
  if (event.messageId === '') throw new AppError('contract_violation', 'event without a message id');
  if (!Number.isSafeInteger(event.timestampMs)) {
    throw new AppError('contract_violation', `event time ${event.timestampMs} is not a whole number of milliseconds`);
  }
}

/** What an event means: an order, a refund, or an event like any other. */
export function toMeaning(event: FeatureEvent): EventMeaning {
  if (event.type !== 'track') return OTHER;
  if (event.name === ORDER_COMPLETED) {
    return {
      kind: 'order',
      revenueUnits: toUnits(readAmount(readField(event.properties, 'revenue'))),
      productIds: readProductIds(event.properties),
    };
  }
  if (event.name === ORDER_REFUNDED) {
    return { kind: 'refund', amountUnits: Math.abs(toUnits(readRefundAmount(event.properties))) };
  }
  return OTHER;
}

/** The money an event names: revenue of an order, the positive amount of a refund; undefined for none or unknown. */
export function toEventAmount(event: FeatureEvent): number | undefined {
  if (event.type !== 'track') return undefined;
  if (event.name === ORDER_COMPLETED) return readAmount(readField(event.properties, 'revenue'));
  if (event.name !== ORDER_REFUNDED) return undefined;
  const amount = readRefundAmount(event.properties);
  return amount === undefined ? undefined : Math.abs(amount);
}

function readRefundAmount(properties: unknown): number | undefined {
  return readAmount(readField(properties, 'revenue')) ?? readAmount(readField(properties, 'total'));
}

/** Own fields only: a property called `__proto__` or `constructor` is data like any other. */
function readField(container: unknown, name: string): unknown {
  if (typeof container !== 'object' || container === null || !Object.hasOwn(container, name)) return undefined;
  return (container as Record<string, unknown>)[name];
}

/** A finite number within the limit, also when written as a decimal string; anything else is unknown, never zero. */
function readAmount(value: unknown): number | undefined {
  const amount = typeof value === 'string' && /^[+-]?\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value;
  return typeof amount === 'number' && Math.abs(amount) <= AMOUNT_MAX ? amount : undefined;
}

/** Whole units, nearest; + 0 turns -0 into 0, which would encode alike but compare unlike. */
function toUnits(amount: number | undefined): number {
  return amount === undefined ? 0 : Math.round(amount * UNITS_PER_AMOUNT) + 0;
}

function readProductIds(properties: unknown): readonly string[] {
  const products = readField(properties, 'products');
  const items: readonly unknown[] = Array.isArray(products) ? products : [properties];
  const ids: string[] = [];
  for (const item of items) {
    const id = readId(readField(item, 'product_id')) ?? readId(readField(item, 'sku'));
    if (id !== undefined) ids.push(id);
  }
  return ids;
}

function readId(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}
