import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BUILT_IN_PLACEHOLDERS, createPlaceholderIds } from './placeholder-ids.js';

const PLACEHOLDERS = [
  ...['undefined', 'null', 'NULL', 'None', 'nil', 'NaN', 'n/a', '#N/A', 'true', 'False', '-1', '-Infinity'],
  ...['guest', 'Guest User', 'anonymous', 'AnonymousUser', 'unknown', '(not set)', 'userId', 'distinct_id'],
  ...['0000', '0000000000', '00000000-0000-0000-0000-000000000000', '{00000000-0000-0000-0000-000000000000}'],
  ...['00:00:00:00:00:00', 'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF'],
  ...[
    '[object Object]',
    '[object Promise]',
    '[object Undefined]',
    '(null)',
    '<nil>',
    '"undefined"',
    "'null'",
    '[null]',
  ],
  ...['not-set', 'logged-out', 'Not-Logged-In', 'anonymous-id', 'user-id', 'unknown  user'],
  ...['undefined undefined', 'null_null', 'NaN-NaN', 'None None', '(not-set)', '\\N', '%USER_ID%', '*|EMAIL|*'],
  ...['-', '--', '???', '{}', '[]', '{{user.id}}', `\${userId}`, '%%USER_ID%%', '<%= user.id %>'],
  ...['null|null', 'undefined:undefined', 'None, None', 'null@null', '_null_', '__undefined__', 'ｎｕｌｌ', 'ＮＵＬＬ'],
  ...['%s', '%d', '%@', '%1$s', '{0}', '$1'],
];

const REAL = [
  ...['0', '1', '42', '007', '000', 'u0000', 'test', 'guest-17', 'nullable', 'anonymous@example.com', 'object Object'],
  ...['a', 'Ana', '测试', '🎉', '00000000-0000-4000-8000-000000000001', '10000', '{12}', 'true-north', 'Guestino'],
  ...['null|17', 'ann@none', 'none@shop.example', '%sale', '$100', '_ann_', 'ｎｕｌｌ1', 'x|y'],
  ...['nan goldin', 'default-7', 'guest_of_honour', '1', '-2', '100%', 'a_', '_null_x', 'null-1', 'user'],
];

describe('placeholder ids', () => {
  it.each(PLACEHOLDERS)('has %j', (id) => expect(BUILT_IN_PLACEHOLDERS.has(id)).toBe(true));

  it.each(REAL)('has not %j', (id) => expect(BUILT_IN_PLACEHOLDERS.has(id)).toBe(false));

  it('does not mind case, white space and what cannot be seen', () => {
    const around = fc.string({ unit: fc.constantFrom(' ', '\t', '\u00a0', '\u200b', '\ufeff'), maxLength: 4 });
    fc.assert(
      fc.property(fc.constantFrom(...PLACEHOLDERS), around, around, fc.boolean(), (id, before, after, isUpper) =>
        BUILT_IN_PLACEHOLDERS.has(before + (isUpper ? id.toUpperCase() : id) + after),
      ),
      { numRuns: 1000, seed: 13 },
    );
  });

  it('has no id that an app makes: UUIDs, numbers, addresses, hashes', () => {
    const made = fc.oneof(
      fc.uuid({ version: 4 }),
      fc.nat().map(String),
      fc.emailAddress(),
      fc.stringMatching(/^[0-9a-f]{16,40}$/).filter((text) => !/^(0+|f+)$/.test(text)),
      fc.nat().map((number) => `user-${number}`),
    );
    fc.assert(
      fc.property(made, (id) => !BUILT_IN_PLACEHOLDERS.has(id)),
      { numRuns: 2000, seed: 13 },
    );
  });

  it('follows the operator', () => {
    const ids = createPlaceholderIds({ added: ['Shop Test', '0'], allowed: ['guest', '0000'] });
    expect(['shop test', ' 0 ', 'undefined'].map((id) => ids.has(id))).toEqual([true, true, true]);
    expect(['GUEST', '0000', '00000'].map((id) => ids.has(id))).toEqual([false, false, true]);
  });
});
