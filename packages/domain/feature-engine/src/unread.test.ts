import { describe, expect, it } from '@jest/globals';
import { compileFeatures } from './compile.js';
import type { FeatureDefinition } from './definition.js';

const REST = { unit: 'currency', windowMs: undefined } as const;
const ORDERS = { type: 'track', name: 'Order' };
const MONEY = { kind: 'amount', properties: ['revenue', 'total'], absolute: false } as const;
const LENGTH = { kind: 'amount', properties: ['length'], absolute: false } as const;
const PRODUCTS = { kind: 'id', properties: ['sku', 'product_id'], list: 'products' } as const;

const DEFINITIONS: readonly FeatureDefinition[] = [
  { ...REST, name: 'revenue', aggregation: 'sum', event: ORDERS, measure: MONEY },
  { ...REST, name: 'large', aggregation: 'max', event: { ...ORDERS, where: 'properties.large' }, measure: MONEY },
  { ...REST, name: 'length', unit: 'seconds', aggregation: 'mean', event: undefined, measure: LENGTH },
  { ...REST, name: 'products', unit: 'products', aggregation: 'distinct', event: ORDERS, measure: PRODUCTS },
];
const SPEC = compileFeatures(DEFINITIONS);

const find = (
  properties: unknown,
  rest: { readonly name?: string; readonly worth?: number; readonly rate?: null } = {},
) =>
  SPEC.findUnread({ messageId: 'm', type: 'track', name: 'Order', timestampMs: 0, properties, ...rest }).map(
    ({ feature, reason }) => `${feature}: ${reason}`,
  );

describe('a value that features cannot take', () => {
  it.each<[string, unknown, readonly string[]]>([
    ['a text that is no number', { revenue: '12,50' }, ['revenue: wrong_type']],
    ['a truth value', { length: true }, ['length: wrong_type']],
    ['a list of amounts', { revenue: [5] }, ['revenue: wrong_type']],
    ['a number beyond what counts', { length: 1e10 }, ['length: out_of_range']],
    ['the same as a text', { length: '10000000000' }, ['length: out_of_range']],
    ['two of them, of which the first is named', { revenue: {}, total: 1e10 }, ['revenue: wrong_type']],
    ['an id that is an object', { product_id: {} }, ['products: wrong_type']],
    ['an item whose id is a truth value', { products: [{ sku: 'a' }, { sku: true }] }, ['products: wrong_type']],
    ['items that are no objects', { products: ['a', 'b'] }, ['products: wrong_type']],
    ['a list that is none', { products: 'a' }, ['products: wrong_type']],
    [
      'for each feature whose filter it passes',
      { revenue: 'x', large: true },
      ['revenue: wrong_type', 'large: wrong_type'],
    ],
  ])('is %s', (_, properties, found) => {
    expect(find(properties)).toEqual(found);
  });

  it.each<[string, unknown]>([
    ['an amount', { revenue: 12.5, length: -3 }],
    ['a decimal text', { revenue: ' 12.50 ' }],
    ['one that another property stands in for', { revenue: 'x', total: 5, sku: {}, product_id: 'a' }],
    ['none', { revenue: null, length: '', products: [{ sku: '' }, null, {}] }],
    ['an empty list', { products: [] }],
    ['a list that is none beside an id', { products: 'a', sku: 7 }],
    ['properties that are no object', 'text'],
  ])('is not %s', (_, properties) => {
    expect(find(properties)).toEqual([]);
  });

  it('is none of an event that passes no filter, nor what the worth of an order stands in for', () => {
    expect(find({ revenue: 'x' }, { name: 'Other' })).toEqual([]);
    expect(find({ revenue: 'x' }, { worth: 5 })).toEqual([]);
    expect(find({ revenue: 5 }, { rate: null })).toEqual([]);
  });

  it('leaves the next event alone, be it the same object with other properties', () => {
    const event = {
      messageId: 'm',
      type: 'track',
      name: 'Order',
      timestampMs: 0,
      properties: { revenue: 'x', large: true },
    };
    expect(SPEC.findUnread(event)).toHaveLength(2);
    Object.assign(event, { properties: { revenue: 5, large: false } });
    const { state } = SPEC.apply(undefined, event);
    expect(SPEC.toMap(SPEC.vector(state, 0).values)).toMatchObject({ revenue: 5, large: null });
  });
});
