import { describe, expect, it } from '@jest/globals';
import { parseBatchContext, withBatchContext } from './batch-context.js';

const inherited = parseBatchContext({ timezone: 'Asia/Tokyo', currency: 'JPY', library: { name: 'x' } });

describe('the context of a batch', () => {
  it.each([
    [{ a: 1 }, { a: 1, context: { timezone: 'Asia/Tokyo', currency: 'JPY' } }],
    [{ context: null }, { context: { timezone: 'Asia/Tokyo', currency: 'JPY' } }],
    [{ context: { app: 1 } }, { context: { app: 1, timezone: 'Asia/Tokyo', currency: 'JPY' } }],
    [{ context: { timezone: 'UTC' } }, { context: { timezone: 'UTC', currency: 'JPY' } }],
    [{ context: { timezone: '', currency: null } }, { context: { timezone: 'Asia/Tokyo', currency: 'JPY' } }],
    [{ context: { timezone: 'a', currency: 'b' } }, { context: { timezone: 'a', currency: 'b' } }],
    ['text', 'text'],
  ])('merges into %j, which wins', (item, expected) => expect(withBatchContext(item, inherited)).toEqual(expected));

  it.each([undefined, null, 'x', [], {}, { timezone: null }, { library: {} }])('is none for %j', (context) => {
    const item = { userId: 'u' };
    expect(withBatchContext(item, parseBatchContext(context))).toBe(item);
  });

  it('has the fields that events carry, and no others of their groups', () => {
    const merged = withBatchContext(
      {},
      parseBatchContext({ device: { type: 'ios', id: 'd' }, locale: 'de', ip: '::1' }),
    );
    expect(merged).toEqual({ context: { device: { type: 'ios' }, locale: 'de' } });
  });

  it('changes no prototype', () => {
    const item = JSON.parse('{"context":{"__proto__":{"timezone":"UTC"}}}');
    const merged = withBatchContext(item, inherited) as { context: Record<string, unknown> };
    expect(Object.getPrototypeOf(merged.context)).toBe(Object.prototype);
    expect(merged.context.timezone).toBe('Asia/Tokyo');
  });
});
