import { isOrderEvent, readCurrency, readField, readWorth } from '@perennial/commerce';
import { LIMITS } from './limits.js';
import { isJsonObject, type JsonObject } from './parse-properties.js';
import { Rejection, toExcerpt } from './rejection.js';

/** The money of an event, as it was sent. */
export interface EventMoney {
  /** What an order or refund is worth; undefined for other events and where it is unknown. */
  readonly amount: number | undefined;
  /** Code of ISO 4217, `UNREADABLE_CURRENCY`, or '' when neither the event nor its source says one. */
  readonly currency: string;
}

/** Where the currency of a track event is looked for, besides its properties. */
interface MoneyContext {
  readonly name: string;
  readonly context: unknown;
  readonly sourceCurrency: string | undefined;
}

export const NO_MONEY: EventMoney = { amount: undefined, currency: '' };

/**
 * Reads the money of a track event. Only the field that an order's worth is found in is judged: whatever else an event
 * carries under such names is data like any other. A text there becomes the number that it says; the properties are
 * copied only then.
 */
export function parseMoney(
  properties: JsonObject,
  { name, context, sourceCurrency }: MoneyContext,
): { readonly properties: JsonObject; readonly money: EventMoney } | Rejection {
  const currency = readCurrency([
    readField(properties, 'currency'),
    isJsonObject(context) ? readField(context, 'currency') : undefined,
    sourceCurrency,
  ]);
  if (!isOrderEvent(name)) return { properties, money: { amount: undefined, currency } };
  const worth = readWorth(name, properties);
  switch (worth.kind) {
    case 'none':
      return { properties, money: { amount: undefined, currency } };
    case 'invalid':
      return new Rejection('invalid_revenue', `${worth.field} must be a number, not ${toExcerpt(worth.value)}`).on(
        worth.field,
        worth.value,
      );
    case 'out_of_range':
      return new Rejection(
        'revenue_out_of_range',
        `${worth.field} is ${toExcerpt(worth.value)}, beyond ${LIMITS.revenueMax}`,
      ).on(worth.field, worth.value);
    case 'amount': {
      const { field, amount } = worth;
      const isText = typeof readField(properties, field) === 'string';
      return { properties: isText ? { ...properties, [field]: amount } : properties, money: { amount, currency } };
    }
  }
}
