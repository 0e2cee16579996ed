import { describe, expect, it } from '@jest/globals';
import type { Arrival } from './event-shape.js';
import { normalise } from './normalise.js';
import type { Rejection } from './rejection.js';

const receivedAtMs = Date.parse('2026-05-01T12:00:00.000Z');
const arrival: Arrival = { receivedAtMs, clockMode: 'wall', createMessageId: () => 'generated' };
const track = { type: 'track', userId: 'u1', event: 'Order Completed', properties: { revenue: 10 } };

describe('a rejection', () => {
  it.each<[Record<string, unknown>, string, string]>([
    [{ userId: 'undefined' }, 'userId', '"undefined"'],
    [{ userId: 'a\u0000\u202eb' }, 'userId', '"a\\u0000\\u202eb"'],
    // A soft hyphen, a private character and a grapheme joiner are not seen either.
    [{ userId: 'a\u0000\u00ad\ue000\u034fb' }, 'userId', '"a\\u0000\\u00ad\\ue000\\u034fb"'],
    [{ userId: 'x'.repeat(300) }, 'userId', `"${'x'.repeat(40)}"... (300 characters)`],
    [{ timestamp: '2024-02-30T00:00:00Z' }, 'timestamp', '"2024-02-30T00:00:00Z"'],
    [{ timestamp: 5 }, 'timestamp', '5'],
    [{ originalTimestamp: 'soon' }, 'originalTimestamp', '"soon"'],
    [{ timestamp: '2099-01-01' }, 'timestamp', '"2099-01-01"'],
    [{ event: 7 }, 'event', '7'],
    [{ messageId: {} }, 'messageId', 'an object'],
    [{ type: 'purchase' }, 'type', '"purchase"'],
    [{ properties: 'x' }, 'properties', '"x"'],
    [{ properties: { revenue: 'free' } }, 'revenue', '"free"'],
    [{ userId: `a ${'pk_'.padEnd(50, 'x')}\n` }, 'userId', '"a pk_[cut]\\n"'],
    [{ userId: `r=%3Fk%3D${'pk_'.padEnd(50, 'x')}\n` }, 'userId', '"r=%3Fk%3Dpk_[cut]\\n"'],
    [{ userId: `%22${'pt_'.padEnd(50, 'x')}%22\n` }, 'userId', '"%22pt_[cut]%22\\n"'],
    [{ userId: `key_${'pk_'.padEnd(50, 'x')}\n` }, 'userId', '"key_pk_[cut]\\n"'],
  ])('of %j names field and value', (wrong, field, value) => {
    const rejection = normalise({ ...track, ...wrong }, arrival);
    expect(rejection).toMatchObject({ kind: 'rejected', field, value });
    expect((rejection as Rejection).message).toContain(value);
    expect((rejection as Rejection).message).toContain(field);
  });
});
