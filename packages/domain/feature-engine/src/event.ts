import { convertAmount, ORDER_COMPLETED, ORDER_REFUNDED } from '@perennial/commerce';
import { AppError } from '@perennial/kernel';
import { readAmount } from './amount.js';

/** An event as the engine folds it. */
export interface FeatureEvent {
  /** Unique within the profile; a repeated id changes nothing. Never empty. */
  readonly messageId: string;
  /** track, identify, page, screen ...; outcome, contact and consent are no behaviour. */
  readonly type: string;
  /** Name of a track event; kind of an outcome, channel of a contact. */
  readonly name: string;
  readonly timestampMs: number;
  /** Properties of a track event; a value that is no object counts as none. */
  readonly properties: unknown;
  /** The carried fields of its context, for conditions; absent for none. */
  readonly context?: unknown;
  /**
   * What an order or refund is worth, in the currency that it was sent in. Absent for events that nobody has read it
   * from: then the measures read their properties.
   */
  readonly worth?: number | undefined;
  /** Code of ISO 4217 of its amounts; absent where nobody knows it: then no filter by a currency lets it pass. */
  readonly currency?: string | undefined;
  /** Properties whose values are far from those that the profile had before; absent for none, as for nearly all events. */
  readonly outliers?: readonly string[] | undefined;
  /** Time zone of the user: an IANA name or an offset; '' for none. Absent where nobody knows whether there was one. Both count in UTC. */
  readonly timeZone?: string | undefined;
  /**
   * Value of one unit of the event's currency in the namespace's. Absent is 1; null is unknown: the event counts, and its
   * amounts are in no sum of money.
   */
  readonly rate?: number | null | undefined;
}

export { ORDER_COMPLETED, ORDER_REFUNDED } from '@perennial/commerce';

/** Properties that hold the amount of each; the first that is an amount is used. */
export const ORDER_AMOUNTS: readonly string[] = ['revenue'];
export const REFUND_AMOUNTS: readonly string[] = ['revenue', 'total'];

/** A measure that reads this property means what an order is worth, wherever that was found. */
const WORTH_PROPERTY = 'revenue';

/** Checks what the engine relies on; throws `contract_violation`, so that a processor dead-letters the record. */
export function checkEvent(event: FeatureEvent): void {
  if (event.messageId === '') throw new AppError('contract_violation', 'event without a message id');
  if (!Number.isSafeInteger(event.timestampMs)) {
    throw new AppError('contract_violation', `event time ${event.timestampMs} is not a whole number of milliseconds`);
  }
}

/** True when a measure of these properties means what an order is worth. */
export function isWorthMeasure(properties: readonly string[]): boolean {
  return properties.includes(WORTH_PROPERTY);
}

/** Money of an event in the namespace's currency: its worth, or the first property that is an amount. */
export function readMoney(event: FeatureEvent, properties: readonly string[]): number | undefined {
  const amount = readSent(event, properties);
  const { rate = 1 } = event;
  return amount === undefined ? undefined : convertAmount(amount, rate ?? undefined);
}

/** Money of an event as it was sent, in its own currency: its worth, or the first property that is an amount. */
export function readSent(event: FeatureEvent, properties: readonly string[]): number | undefined {
  const worth = isWorthMeasure(properties) ? event.worth : undefined;
  return worth ?? readAmount(event.properties, properties);
}

/**
 * The amount of an event in the namespace's currency: worth of an order, the positive amount of a refund; undefined for
 * none or unknown.
 */
export function toEventAmount(event: FeatureEvent): number | undefined {
  if (event.type !== 'track') return undefined;
  if (event.name === ORDER_COMPLETED) return readMoney(event, ORDER_AMOUNTS);
  if (event.name !== ORDER_REFUNDED) return undefined;
  const amount = readMoney(event, REFUND_AMOUNTS);
  return amount === undefined ? undefined : Math.abs(amount);
}
