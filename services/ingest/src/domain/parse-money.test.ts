import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NO_MONEY, parseMoney } from './parse-money.js';
import { Rejection } from './rejection.js';

const parse = (properties: Record<string, unknown>, name = 'Order Completed', context: unknown = undefined) =>
  parseMoney(properties, { name, context, sourceCurrency: 'GBP' });

describe('the money of an event', () => {
  it.each([
    [{ currency: ' usd ' }, undefined, 'USD'],
    [{ currency: '' }, { currency: 'Eur' }, 'EUR'],
    [{ currency: null }, { currency: null }, 'GBP'],
    [{}, 'no object', 'GBP'],
    [{ currency: '€' }, { currency: 'EUR' }, 'XXX'],
    [{ currency: 978 }, undefined, 'XXX'],
    // Pence and cents, as exchanges write them.
    [{ currency: 'GBp' }, undefined, 'XXX'],
    [{ currency: 'ZAc' }, undefined, 'XXX'],
    [{ currency: 'DOLLAR' }, undefined, 'XXX'],
    [{ currency: { code: 'EUR' } }, undefined, 'XXX'],
  ])('has the currency of its properties, its context, its source: %j %j', (properties, context, currency) => {
    expect(parse(properties, 'Page Scrolled', context)).toEqual({ properties, money: { ...NO_MONEY, currency } });
  });

  it('is judged in the one field that it is read from, by name and value', () => {
    expect(parse({ revenue: 10, total: 'abc', value: {} })).toMatchObject({ money: { amount: 10 } });
    expect(parse({ revenue: 'abc', total: 10 })).toMatchObject({
      reason: 'invalid_revenue',
      message: 'revenue must be a number, not "abc"',
    });
    expect(parse({ products: [{ price: 1 }, { price: '€2' }] })).toMatchObject({
      message: 'products[1].price must be a number, not "€2"',
    });
    expect(parse({ total: 2e9 })).toMatchObject({
      reason: 'revenue_out_of_range',
      message: 'total is 2000000000, beyond 1000000000',
    });
  });

  it('changes no property but a text that is a number', () => {
    const properties = { revenue: '1.234,50', other: 'x' };
    expect(parse(properties)).toEqual({
      properties: { revenue: 1234.5, other: 'x' },
      money: { amount: 1234.5, currency: 'GBP' },
    });
    const same = { revenue: 3 };
    expect(parse(same)).toMatchObject({ properties: same });
  });

  it('of events that are no orders rejects nothing, whatever it is', () => {
    const fields = fc.dictionary(
      fc.constantFrom('revenue', 'total', 'value', 'subtotal', 'refund_amount', 'price', 'currency', 'products'),
      fc.anything(),
    );
    fc.assert(
      fc.property(fields, fc.string(), (properties, name) => {
        const parsed = parse(properties, `x${name}`);
        expect(parsed).not.toBeInstanceOf(Rejection);
        expect(parsed).toMatchObject({ money: { amount: undefined } });
      }),
      { seed: 15, numRuns: 500 },
    );
  });
});
