import { describe, expect, it } from '@jest/globals';
import { pickContext } from './pick-context.js';

describe('the context that is carried', () => {
  it('is what conditions may read, and nothing that says who or where somebody is', () => {
    const context = {
      ip: '8.8.8.8',
      userAgent: 'Mozilla',
      locale: 'de-DE',
      page: { path: '/orders/7', url: 'https://shop/orders/7' },
      device: { id: 'd-1', advertisingId: 'a-1', type: 'ios', model: 'iPhone' },
      network: { wifi: true, carrier: 'x' },
      campaign: { name: 'Spring', source: 'mail', content: 'ada@example.com' },
      traits: { email: 'ada@example.com' },
      library: { name: 'analytics.js' },
    };
    expect(pickContext(context)).toEqual({
      locale: 'de-DE',
      device: { type: 'ios', model: 'iPhone' },
      network: { wifi: true },
      campaign: { name: 'Spring', source: 'mail' },
    });
  });

  it.each([
    [undefined],
    [null],
    ['de'],
    [[]],
    [{}],
    [{ locale: '' }],
    [{ locale: 'x'.repeat(129) }],
    [{ locale: 'a\0' }],
    [{ locale: { a: 1 } }],
    [{ app: 'shop' }],
    [{ app: { version: null } }],
    [{ app: { version: Number.POSITIVE_INFINITY } }],
    [{ library: { name: 'analytics-node' } }],
    [JSON.parse('{"__proto__": {"locale": "de"}}')],
  ])('is none of %j', (context) => {
    expect(pickContext(context)).toBeUndefined();
  });
});
