import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import type { Arrival, NormalisedEvent } from './event-shape.js';
import { UNPLANNED } from './judge-by-plan.js';
import { LIMITS } from './limits.js';
import { normalise } from './normalise.js';
import { REJECT_REASONS, Rejection, type RejectReason } from './rejection.js';

// Thousands of fuzzed events take long on a busy machine.
jest.setTimeout(30_000);

const RECEIVED_AT = Date.parse('2026-05-01T12:00:00.000Z');
const HOUR = 3_600_000;
const arrival: Arrival = { receivedAtMs: RECEIVED_AT, clockMode: 'wall', createMessageId: () => 'generated' };
const track = { type: 'track', userId: 'u1', event: 'Order Completed', properties: { revenue: 10 } };

function accept(raw: unknown, over: Partial<Arrival> = {}): NormalisedEvent {
  const result = normalise(raw, { ...arrival, ...over });
  if (result instanceof Rejection) throw new Error(`${result.reason}: ${result.message}`);
  return result;
}

function iso(offsetMs: number): string {
  return new Date(RECEIVED_AT + offsetMs).toISOString();
}

describe('normalise accepts', () => {
  it('a track in full', () => {
    const raw = {
      ...track,
      messageId: 'm-1',
      anonymousId: 'a1',
      timestamp: iso(-5_000),
      sentAt: iso(-1_000),
      context: { timezone: 'Europe/Berlin' },
    };
    expect(accept(raw)).toEqual({
      kind: 'accepted',
      messageId: 'm-1',
      type: 'track',
      name: 'Order Completed',
      userId: 'u1',
      anonymousId: 'a1',
      timestampMs: RECEIVED_AT - 4_000,
      receivedAtMs: RECEIVED_AT,
      propertiesJson: '{"revenue":10}',
      amount: 10,
      currency: '',
      timeZone: 'Europe/Berlin',
      ...{ ...UNPLANNED, said: expect.anything() },
      ignored: [],
    });
  });

  it.each([
    [{ type: 'identify', userId: 'u', traits: { plan: 'pro' } }, '', '{"plan":"pro"}'],
    [{ type: 'page', anonymousId: 'a', name: 'Home', properties: { path: '/' } }, 'Home', '{"path":"/"}'],
    [{ type: 'page', anonymousId: 'a' }, '', '{}'],
    [{ type: 'screen', userId: 'u', name: null, properties: null }, '', '{}'],
    [{ type: 'group', userId: 'u', groupId: 'g', traits: { size: 3 } }, '', '{"size":3,"groupId":"g"}'],
    [{ type: 'alias', userId: 'u', previousId: 'old' }, '', '{}'],
    [{ ...track, event: '🎉 bought ✨', properties: {} }, '🎉 bought ✨', '{}'],
    [{ ...track, properties: { revenue: '12.50' } }, 'Order Completed', '{"revenue":12.5}'],
    [{ ...track, properties: { revenue: {}, total: 'any' }, event: 'x' }, 'x', '{"revenue":{},"total":"any"}'],
    [{ ...track, properties: { revenue: '' } }, 'Order Completed', '{"revenue":""}'],
    [{ ...track, properties: { revenue: -1e9 } }, 'Order Completed', '{"revenue":-1000000000}'],
    [{ ...track, event: 'x'.repeat(200) }, 'x'.repeat(200), '{"revenue":10}'],
  ])('%j', (raw, name, propertiesJson) => {
    expect(accept(raw)).toMatchObject({ name, propertiesJson });
  });

  it('the call that the path names, where the body names none', () => {
    expect(accept({ userId: 'u', event: 'x' }, { callType: 'track' }).type).toBe('track');
  });

  it('ids that are whole numbers, and empty ids beside another', () => {
    expect(accept({ ...track, userId: 42 }).userId).toBe('42');
    expect(accept({ ...track, userId: '', anonymousId: 'a' })).toMatchObject({ userId: undefined, anonymousId: 'a' });
  });

  it('a generated id where the message has none, and ignores a wrong time zone', () => {
    expect(accept({ ...track, context: { timezone: 'Mars/Olympus' } })).toMatchObject({
      messageId: 'generated',
      timeZone: '',
    });
  });

  it.each([
    ['2024-02-29T12:00:00.123456+02:00', '2024-02-29T10:00:00.123Z'],
    ['2024-02-29T12:00:00+0200', '2024-02-29T10:00:00.000Z'],
    ['2024-02-29 12:00:00', '2024-02-29T12:00:00.000Z'],
    ['1997-01-01', '1997-01-01T00:00:00.000Z'],
    [Date.UTC(2011, 11, 9), '2011-12-09T00:00:00.000Z'],
    [1_323_388_800, '2011-12-09T00:00:00.000Z'],
    ['2024-03-02 10:00:00.5+02', '2024-03-02T08:00:00.500Z'],
  ])('the timestamp %s', (timestamp, expected) => {
    expect(new Date(accept({ ...track, timestamp }).timestampMs).toISOString()).toBe(expected);
  });

  it.each(['1970-01-01T00:00:00Z', '0001-01-01T00:00:00Z', iso(-14 * 24 * HOUR), iso(14 * 24 * HOUR), 'soon', {}, -1])(
    'a good timestamp as it is, when sentAt is %j',
    (sentAt) => {
      const timestamp = iso(-5 * 60_000);
      const timestampMs = RECEIVED_AT - 5 * 60_000;
      expect(accept({ ...track, timestamp, sentAt })).toMatchObject({ timestampMs, ignored: ['sent_at'] });
      expect(accept({ ...track, timestamp }, { sentAt })).toMatchObject({ timestampMs, ignored: ['sent_at'] });
      // The batch's stands in for an event's own that says nothing.
      const corrected = accept({ ...track, timestamp, sentAt }, { sentAt: iso(-60_000) });
      expect(corrected).toMatchObject({ timestampMs: timestampMs + 60_000, ignored: [] });
    },
  );

  it('an empty messageId as none', () => {
    expect(accept({ ...track, messageId: '' }).messageId).toBe(accept({ ...track, messageId: null }).messageId);
  });

  it('the timestamp that can be read, where another cannot', () => {
    expect(accept({ ...track, originalTimestamp: 'soon', timestamp: iso(-1000) }).timestampMs).toBe(RECEIVED_AT - 1000);
    for (const impossible of ['0001-01-01T00:00:00Z', '1970-01-01T00:00:00Z', '2099-01-01T00:00:00Z']) {
      const both = { ...track, originalTimestamp: impossible, timestamp: iso(-1000) };
      expect(accept(both).timestampMs).toBe(RECEIVED_AT - 1000);
      expect(normalise({ ...both, timestamp: 'soon' }, arrival)).toMatchObject({ field: 'originalTimestamp' });
    }
    expect(accept({ ...track, timestamp: '', sentAt: '' })).toMatchObject({ timestampMs: RECEIVED_AT, ignored: [] });
  });

  it('an event whatever the fields that nobody reads', () => {
    const unread = JSON.parse(
      '{"integrations":7,"context":{"a":1e999,"page":[]},"traits":1,"previousId":{},"category":{}}',
    );
    expect(accept({ ...track, ...unread, anonymousId: { a: 1 } })).toMatchObject({
      userId: 'u1',
      anonymousId: undefined,
      ignored: ['anonymous_id'],
    });
  });

  it.each([
    [
      { userId: 'undefined', anonymousId: 'a' },
      { userId: undefined, anonymousId: 'a', ignored: ['user_id'] },
    ],
    [
      { userId: false, anonymousId: 'a' },
      { userId: undefined, anonymousId: 'a', ignored: ['user_id'] },
    ],
    [
      { userId: '  ', anonymousId: 'a' },
      { userId: undefined, anonymousId: 'a', ignored: ['user_id'] },
    ],
    [
      { userId: 'u', anonymousId: ' NULL ' },
      { userId: 'u', anonymousId: undefined, ignored: ['anonymous_id'] },
    ],
    [
      { userId: 'u', messageId: 'undefined' },
      { messageId: 'generated', ignored: ['message_id'] },
    ],
    [
      { userId: 'u', context: { timezone: 'GMT+0900' } },
      { timeZone: 'Etc/GMT-9', ignored: [] },
    ],
    [
      { userId: 'u', context: { timezone: 'BST' } },
      { timeZone: '', ignored: ['time_zone'] },
    ],
    [
      { userId: 'u', context: { timezone: '' } },
      { timeZone: '', ignored: [] },
    ],
  ])('%j, and says what it ignored', (raw, expected) => {
    expect(accept({ type: 'track', event: 'x', ...raw })).toMatchObject(expected);
  });

  it('clocks that are wrong by decades, when sentAt shows it', () => {
    const from1970 = accept({ ...track, timestamp: '1970-01-01T00:00:10Z', sentAt: '1970-01-01T00:00:15Z' });
    expect(from1970.timestampMs).toBe(RECEIVED_AT - 5_000);
    const from2099 = accept(
      { ...track, originalTimestamp: '2099-01-01T00:00:10Z' },
      { sentAt: '2099-01-01T00:00:15Z' },
    );
    expect(from2099.timestampMs).toBe(RECEIVED_AT - 5_000);
  });

  it('nothing from the future: up to 24 h ahead happened now', () => {
    expect(accept({ ...track, timestamp: iso(24 * HOUR) }).timestampMs).toBe(RECEIVED_AT);
  });

  it('history at its own time where event time drives', () => {
    const timestamp = '1997-01-01T00:00:00Z';
    const event = accept({ ...track, timestamp, sentAt: iso(-5_000) }, { clockMode: 'events' });
    expect(event.timestampMs).toBe(Date.parse(timestamp));
    expect(event.receivedAtMs).toBe(event.timestampMs);
  });

  it('prototype keys, harmlessly', () => {
    const raw = JSON.parse(
      '{"type":"track","userId":"u","event":"x","__proto__":{"userId":"evil"},"properties":{"__proto__":{"polluted":1},"a":{"__proto__":1,"constructor":{"prototype":{"polluted":1}}},"toString":2}}',
    );
    const event = accept(raw);
    expect(event.userId).toBe('u');
    expect(JSON.parse(event.propertiesJson)).toEqual({
      a: { constructor: { prototype: { polluted: 1 } } },
      toString: 2,
    });
    expect(event.propertiesJson).not.toContain('__proto__');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('an event of exactly 32 KiB', () => {
    expect(accept(withBytes(LIMITS.eventBytesMax)).kind).toBe('accepted');
  });
});

const rejected: Array<[string, unknown, RejectReason, Partial<Arrival>?]> = [
  ['no object', [], 'not_an_object'],
  ['null', null, 'not_an_object'],
  ['an unknown call', { ...track, type: 'purchase' }, 'invalid_type'],
  ['no call', { userId: 'u' }, 'invalid_type'],
  ['a call of wrong type', { ...track, type: 7 }, 'invalid_type'],
  ['a call other than the path', track, 'invalid_type', { callType: 'page' }],
  ['no id', { type: 'track', event: 'x' }, 'missing_id'],
  ['empty ids', { ...track, userId: '', anonymousId: '' }, 'missing_id'],
  ['a blank id', { ...track, userId: '   ' }, 'placeholder_id'],
  ['an id of 10 KB', { ...track, userId: 'x'.repeat(10_240) }, 'invalid_id'],
  ['an id of 257 characters', { ...track, userId: 'x'.repeat(257) }, 'invalid_id'],
  ['a NUL in an id', { ...track, userId: 'a\0b' }, 'invalid_id'],
  ['a line break in an id', { ...track, userId: null, anonymousId: 'a\nb' }, 'invalid_id'],
  ['half a surrogate pair', { ...track, userId: 'a\ud83d' }, 'invalid_id'],
  ['a fraction as id', { ...track, userId: 1.5 }, 'invalid_id'],
  ['an object as id', { ...track, userId: {} }, 'invalid_id'],
  ['a boolean as id', { ...track, userId: true }, 'placeholder_id'],
  ['alias without previousId', { type: 'alias', userId: 'u' }, 'missing_id'],
  ['alias of anonymous', { type: 'alias', anonymousId: 'u', previousId: 'x' }, 'missing_id'],
  ['group without groupId', { type: 'group', userId: 'u' }, 'missing_id'],
  ['a long messageId', { ...track, messageId: 'x'.repeat(101) }, 'invalid_message_id'],
  ['no event name', { ...track, event: undefined }, 'invalid_name'],
  ['an empty event name', { ...track, event: '' }, 'invalid_name'],
  ['a number as name', { ...track, event: 5 }, 'invalid_name'],
  ['a NUL in a name', { ...track, event: 'x\0' }, 'invalid_name'],
  ['a long name', { ...track, event: 'x'.repeat(201) }, 'invalid_name'],
  ['a page name of wrong type', { type: 'page', userId: 'u', name: {} }, 'invalid_name'],
  ['the year 2099', { ...track, timestamp: '2099-01-01T00:00:00Z' }, 'timestamp_too_far_in_future'],
  [
    'the year 2099 in a backfill',
    { ...track, timestamp: '2099-01-01' },
    'timestamp_too_far_in_future',
    { clockMode: 'events' },
  ],
  ['the year 1970', { ...track, timestamp: '1970-01-01T00:00:01Z' }, 'timestamp_too_old'],
  ['a small number', { ...track, timestamp: 86_400 }, 'invalid_timestamp'],
  ['February 30', { ...track, timestamp: '2024-02-30T00:00:00Z' }, 'invalid_timestamp'],
  ['no time in a backfill', track, 'invalid_timestamp', { clockMode: 'events' }],
  ['words as time', { ...track, timestamp: 'hello 1' }, 'invalid_timestamp'],
  ['month 13', { ...track, timestamp: '2024-13-01T00:00:00Z' }, 'invalid_timestamp'],
  ['an object as time', { ...track, timestamp: {} }, 'invalid_timestamp'],
  ['two placeholders', { ...track, userId: 'undefined', anonymousId: 'null' }, 'placeholder_id'],
  ['a placeholder alone', { ...track, userId: '[object Object]' }, 'placeholder_id'],
  ['a placeholder as anonymous id', { type: 'page', anonymousId: 'NaN' }, 'placeholder_id'],
  ['alias of a placeholder', { type: 'alias', userId: 'u', previousId: 'undefined' }, 'placeholder_id'],
  ['alias to a placeholder', { type: 'alias', userId: 'guest', previousId: 'u' }, 'placeholder_id'],
  ['an infinite time', { ...track, timestamp: Number.POSITIVE_INFINITY }, 'invalid_timestamp'],
  ['a huge time', { ...track, timestamp: 1e300 }, 'invalid_timestamp'],
  ['properties of wrong type', { ...track, properties: [1] }, 'invalid_properties'],
  ['traits of wrong type', { type: 'identify', userId: 'u', traits: 'x' }, 'invalid_properties'],
  [
    'a number beyond doubles',
    JSON.parse('{"type":"track","userId":"u","event":"x","properties":{"a":1e999}}'),
    'invalid_properties',
  ],
  ['1e308 as revenue', { ...track, properties: { revenue: 1e308 } }, 'revenue_out_of_range'],
  [
    '1e999 as revenue',
    JSON.parse('{"type":"track","userId":"u","event":"Order Completed","properties":{"revenue":1e999}}'),
    'revenue_out_of_range',
  ],
  ['-1e10 as revenue', { ...track, properties: { revenue: -1e10 } }, 'revenue_out_of_range'],
  ['"1e308" as revenue', { ...track, properties: { revenue: '1e308' } }, 'revenue_out_of_range'],
  ['NaN as revenue', { ...track, properties: { revenue: Number.NaN } }, 'invalid_revenue'],
  ['"NaN" as revenue', { ...track, properties: { revenue: 'NaN' } }, 'invalid_revenue'],
  ['an object as revenue', { ...track, properties: { revenue: { amount: 1 } } }, 'invalid_revenue'],
  ['1e308 as total of an order', { ...track, properties: { total: 1e308 } }, 'revenue_out_of_range'],
  ['33 KB', withBytes(33_000), 'event_too_large'],
  ['32 KiB and a byte', withBytes(LIMITS.eventBytesMax + 1), 'event_too_large'],
  [
    'numbers that grow',
    JSON.parse(`{"type":"track","userId":"u","event":"x","properties":{"a":[${Array(6000).fill('1e20').join()}]}}`),
    'event_too_large',
    { bytesMax: 30_000 },
  ],
  ['33 levels', nested(33), 'too_deep'],
  [
    '100,000 levels',
    { ...track, properties: { a: JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) } },
    'too_deep',
  ],
];

describe('normalise rejects', () => {
  it.each(rejected)('%s', (_name, raw, reason, over = {}) => {
    const result = normalise(raw, { ...arrival, ...over });
    expect(result).toBeInstanceOf(Rejection);
    expect(result).toMatchObject({ kind: 'rejected', reason });
    expect((result as Rejection).message.length).toBeLessThan(200);
  });

  it.each([
    ['inspect', []],
    ['type', { ...track, type: 'tracked' }],
    ['ids', { ...track, userId: undefined }],
    ['message_id', { ...track, messageId: {} }],
    ['name', { ...track, event: '' }],
    ['clock', { ...track, timestamp: 'yesterday' }],
    ['properties', { ...track, properties: [] }],
  ] as const)('at the step %s, which is the first that finds something', (step, raw) => {
    expect(normalise(raw, arrival)).toMatchObject({ kind: 'rejected', step });
  });

  it('names the field', () => {
    expect(normalise({ ...track, userId: '', anonymousId: [] }, arrival)).toMatchObject({
      message: expect.stringContaining('anonymousId'),
      field: 'anonymousId',
      value: 'an array',
    });
  });
});

describe('normalise, fuzzed', () => {
  const field = fc.oneof(
    fc.jsonValue({ maxDepth: 4 }),
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.double(),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    fc.constantFrom('track', 'identify', 'page', 'screen', 'group', 'alias', 'u1', null, undefined),
  );
  const eventLike = fc.record(
    {
      type: fc.oneof(fc.constantFrom('track', 'identify', 'page', 'alias', 'group'), field),
      userId: fc.oneof(fc.string(), field),
      anonymousId: field,
      previousId: field,
      groupId: field,
      messageId: field,
      event: fc.oneof(fc.string(), field),
      name: field,
      timestamp: field,
      sentAt: field,
      properties: fc.oneof(fc.dictionary(fc.string(), field), fc.record({ revenue: field, total: field }), field),
      traits: field,
      context: fc.oneof(fc.record({ timezone: field }), field),
    },
    { requiredKeys: [] },
  );

  it('accepts or rejects, never throws, and what it accepts is sound', () => {
    fc.assert(
      fc.property(fc.oneof(eventLike, fc.anything()), fc.constantFrom('wall', 'events'), (raw, clockMode) => {
        const result = normalise(raw, { ...arrival, clockMode: clockMode as 'wall' | 'events', bytesMax: 1000 });
        if (result instanceof Rejection) return REJECT_REASONS.includes(result.reason) && result.message !== '';
        expect(result.kind).toBe('accepted');
        expect((result.userId ?? result.anonymousId ?? '').trim()).not.toBe('');
        expect(result.timestampMs).toBeLessThanOrEqual(result.receivedAtMs);
        expect(result.timestampMs).toBeGreaterThanOrEqual(LIMITS.timestampMinMs);
        expect(Number.isInteger(result.timestampMs)).toBe(true);
        const properties = JSON.parse(result.propertiesJson);
        expect(typeof properties).toBe('object');
        expect(Math.abs(result.amount ?? 0)).toBeLessThanOrEqual(LIMITS.revenueMax);
        expect(result.currency).toMatch(/^([A-Z]{3})?$/);
        return true;
      }),
      { numRuns: 3000, seed: 20260501 },
    );
  });

  it('gives the same for the same', () => {
    fc.assert(
      fc.property(eventLike, (raw) => {
        const bytesMax = 1000;
        expect(normalise(raw, { ...arrival, bytesMax })).toEqual(
          normalise(structuredClone(raw), { ...arrival, bytesMax }),
        );
      }),
      { numRuns: 500, seed: 7 },
    );
  });
});

function withBytes(bytes: number): unknown {
  const empty = JSON.stringify({ ...track, properties: { filler: '' } });
  // Two bytes per character: the limit is in UTF-8 bytes, not in characters.
  const rest = bytes - Buffer.byteLength(empty);
  return { ...track, properties: { filler: 'é'.repeat(Math.floor(rest / 2)) + 'x'.repeat(rest % 2) } };
}

function nested(levels: number): unknown {
  let value: unknown = 1;
  // The event and its properties are two levels themselves.
  for (let i = 2; i < levels; i++) value = [value];
  return { ...track, properties: { value } };
}
