import { AppError } from '@perennial/kernel';
import { readAmount } from './amount.js';

/** An event as the engine folds it. */
export interface FeatureEvent {
  /** Unique within the profile; a repeated id changes nothing. Never empty. */
  readonly messageId: string;
  /** track, identify, page, screen ...: every type counts as an event. */
  readonly type: string;
  /** Name of a track event. */
  readonly name: string;
  readonly timestampMs: number;
  /** Properties of a track event; a value that is no object counts as none. */
  readonly properties: unknown;
}

/** Names of the track events for an order and for a refund, as in Segment's e-commerce spec. */
export const ORDER_COMPLETED = 'Order Completed';
export const ORDER_REFUNDED = 'Order Refunded';

/** Properties that hold the amount of each; the first that is an amount is used. */
export const ORDER_AMOUNTS: readonly string[] = ['revenue'];
export const REFUND_AMOUNTS: readonly string[] = ['revenue', 'total'];

/** Checks what the engine relies on; throws `contract_violation`, so that a processor dead-letters the record. */
export function checkEvent(event: FeatureEvent): void {
  if (event.messageId === '') throw new AppError('contract_violation', 'event without a message id');
  if (!Number.isSafeInteger(event.timestampMs)) {
    throw new AppError('contract_violation', `event time ${event.timestampMs} is not a whole number of milliseconds`);
  }
}

/** The amount of an event: revenue of an order, the positive amount of a refund; undefined for none or unknown. */
export function toEventAmount(event: FeatureEvent): number | undefined {
  if (event.type !== 'track') return undefined;
  if (event.name === ORDER_COMPLETED) return readAmount(event.properties, ORDER_AMOUNTS);
  if (event.name !== ORDER_REFUNDED) return undefined;
  const amount = readAmount(event.properties, REFUND_AMOUNTS);
  return amount === undefined ? undefined : Math.abs(amount);
}
