import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { toOrderKey } from './order-key.js';
import { ORDER_COMPLETED, ORDER_REFUNDED, readWorth } from './worth.js';

const worth = (field: string, amount: number) => ({ kind: 'amount', field, amount });

describe('what an order is worth', () => {
  it.each([
    [{ revenue: 1, total: 2, value: 3, subtotal: 4 }, worth('revenue', 1)],
    [{ revenue: null, total: 2, value: 3 }, worth('total', 2)],
    [{ revenue: '', value: '3' }, worth('value', 3)],
    [{ subtotal: 4, products: [{ price: 9 }] }, worth('subtotal', 4)],
    [{ products: [{ price: 0.1, quantity: 3 }, { price: '2' }] }, worth('products', 2.3)],
    [{ products: [{ price: 1 }, { sku: 'a' }] }, { kind: 'none' }],
    [{ products: [] }, { kind: 'none' }],
    [{ refund_amount: 5 }, { kind: 'none' }],
    [{ total: -5 }, worth('total', -5)],
    [{}, { kind: 'none' }],
    ['no object', { kind: 'none' }],
  ])('%j', (properties, expected) => {
    expect(readWorth(ORDER_COMPLETED, properties)).toEqual(expected);
  });

  it('is what was refunded, for a refund that carries the whole total too', () => {
    expect(readWorth(ORDER_REFUNDED, { total: 100, refund_amount: 30 })).toEqual(worth('refund_amount', 30));
    expect(readWorth(ORDER_REFUNDED, { total: 100 })).toEqual(worth('total', 100));
  });

  it('is read from the first field that holds anything, by definition', () => {
    const fields = ['refund_amount', 'revenue', 'total', 'value', 'subtotal'];
    const value = fc.oneof(fc.integer({ min: -1e6, max: 1e6 }), fc.constantFrom('', null, undefined, 'abc', {}, 1e10));
    const order = fc.record(Object.fromEntries(fields.map((field) => [field, value])), { requiredKeys: [] });
    fc.assert(
      fc.property(order, fc.constantFrom(ORDER_COMPLETED, ORDER_REFUNDED, 'Viewed'), (properties, name) => {
        const read = name === ORDER_REFUNDED ? fields : fields.slice(1);
        const held = properties as Record<string, unknown>;
        const first = read.find((field) => !['', null, undefined].includes(held[field] as never));
        const found = readWorth(name, properties);
        if (name === 'Viewed' || first === undefined) expect(found).toEqual({ kind: 'none' });
        else expect(found).toMatchObject({ field: first });
      }),
      { seed: 15, numRuns: 500 },
    );
  });
});

describe('the identity of an order', () => {
  const same = (a: unknown, b: unknown, name = ORDER_COMPLETED) =>
    toOrderKey(name, a) !== undefined && toOrderKey(name, a) === toOrderKey(name, b);

  it('is its id, however it is named and whatever else differs', () => {
    expect(same({ order_id: 7, revenue: 1 }, { orderId: '7', revenue: 2 })).toBe(true);
    expect(same({ order_id: '7' }, { order_id: '8' })).toBe(false);
    expect(toOrderKey(ORDER_COMPLETED, { order_id: '7' })).not.toBe(toOrderKey(ORDER_REFUNDED, { order_id: '7' }));
  });

  it.each([
    {},
    { order_id: '' },
    { order_id: 'undefined' },
    { order_id: '000' },
    { order_id: null },
    { order_id: {} },
    { order_id: '(not set)' },
    { order_id: 'not_set', transaction_id: '<nil>' },
    { order_id: '"null"' },
    { order_id: '#N/A' },
    { order_id: '\\N' },
    { order_id: '--' },
    { order_id: '{{order.order_number}}' },
    { order_id: '[object Undefined]' },
    5,
  ])('is unknown for %j', (properties) => expect(toOrderKey(ORDER_COMPLETED, properties)).toBeUndefined());

  it.each(['#1001', '-7', 'A', 'null-7', 'testament', '[7]', '10', 'N'])('is %j, which only looks like none', (id) =>
    expect(same({ order_id: id }, { transaction_id: id })).toBe(true),
  );

  it('tells partial refunds apart by refund id, else by amount', () => {
    const refund = (fields: object) => ({ order_id: '7', ...fields });
    expect(same(refund({ refund_id: 'a', total: 5 }), refund({ refund_id: 'b', total: 5 }), ORDER_REFUNDED)).toBe(
      false,
    );
    expect(same(refund({ refund_id: 'a', total: 5 }), refund({ refund_id: 'a' }), ORDER_REFUNDED)).toBe(true);
    expect(same(refund({ total: 5 }), refund({ total: 6 }), ORDER_REFUNDED)).toBe(false);
    expect(same(refund({ total: -5 }), refund({ revenue: '5.00' }), ORDER_REFUNDED)).toBe(true);
  });

  it('is that of no other event', () => {
    expect(toOrderKey('Order Updated', { order_id: '7' })).toBeUndefined();
  });
});
