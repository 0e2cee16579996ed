import { describe, expect, it } from '@jest/globals';
import { toSha256 } from '@perennial/kernel';
import { READ_IDS_MAX } from './identity-rules.js';
import { normaliseId } from './normalise-id.js';
import { requireIdentityRules } from './parse-rules.js';

const rules = requireIdentityRules(
  `version: 1
kinds:
  email: { strength: 200, read: [traits.email, context.traits.email, 'context.externalIds[email]'], normalise: email,
    guarded: [Test@Test.com] }
  phone: { strength: 180, read: [traits.phone], normalise: phone, callingCode: "86", hash: sha256 }
  openid: { strength: 90, read: [context.wechat.openid] }
`,
  { fileName: 'identity.yaml' },
);
const read = (event: Record<string, unknown>) => {
  const { ids, ignored } = rules.read(event, (id) => id === 'unknown');
  return [...ids.map(({ kind, value }) => `${kind.name} ${value}`), ...(ignored === 0 ? [] : [ignored])];
};
const external = (...externalIds: unknown[]) => ({ context: { externalIds } });

describe('ids that an event names', () => {
  it('are those of each kind, the strongest first, each once', () => {
    const event = {
      traits: { email: ' Anna@Example.com ', phone: '138 0013 8000' },
      context: { traits: { email: 'anna@example.com' }, wechat: { openid: 'oX-1' } },
    };
    expect(read(event)).toEqual(['email anna@example.com', `phone ${toSha256('+8613800138000')}`, 'openid oX-1']);
  });

  it("are those of Segment's externalIds of one type, of users", () => {
    const email = { id: 'a@b.de', type: 'email', collection: 'users', encoding: 'none' };
    expect(read(external(email))).toEqual(['email a@b.de']);
    expect(read(external({ ...email, collection: 'accounts' }, { ...email, type: 'ga_client_id' }))).toEqual([]);
    expect(read(external(null, 7, { type: 'email' }, { type: 'email', id: 'c@d.de' }))).toEqual(['email c@d.de']);
  });

  it('are no values that are none of the kind, guarded or placeholders: those are counted', () => {
    const event = { traits: { email: 'nobody', phone: {} }, context: { wechat: { openid: 'unknown' } } };
    expect(read(event)).toEqual([3]);
    expect(read({ traits: { email: 'TEST@test.com', phone: null } })).toEqual([1]);
    expect(read({ traits: 'x', context: [] })).toEqual([]);
  });

  it('are a bounded number', () => {
    const many = Array.from({ length: 20 }, (_, i) => ({ type: 'email', id: `a${i}@b.de` }));
    expect(read(external(...many))).toHaveLength(READ_IDS_MAX + 1);
    expect(read(external(...many)).at(-1)).toBe(12);
  });
});

describe('fields that are read for ids', () => {
  it('are taken out with their value, be it an id or none, and nothing else is', () => {
    const traits = { email: 'anna@example.com', phone: 'call me', plan: 'pro' };
    expect(rules.withhold('traits', traits)).toEqual({ kept: { plan: 'pro' }, count: 2 });
    const context = { wechat: { openid: 'oX-1', scene: 7 }, traits: { email: { at: 'a@b.de' } }, locale: 'de' };
    expect(rules.withhold('context', context)).toEqual({
      kept: { wechat: { scene: 7 }, traits: {}, locale: 'de' },
      count: 2,
    });
  });

  it('leave the same object where there are none', () => {
    for (const object of [{ plan: 'pro' }, { email: null }, JSON.parse('{"__proto__":{"email":"x"}}')])
      expect(rules.withhold('traits', object).kept).toBe(object);
    const wechat = { wechat: ['oX-1'] };
    expect(rules.withhold('context', wechat)).toEqual({ kept: wechat, count: 0 });
    expect(rules.withhold('properties', { email: 'a@b.de' })).toEqual({ kept: { email: 'a@b.de' }, count: 0 });
  });

  it('leave a key __proto__ as it was', () => {
    const { kept } = rules.withhold('traits', JSON.parse('{"__proto__":{"email":"x"},"email":"a@b.de"}'));
    expect(JSON.stringify(kept)).toBe('{"__proto__":{"email":"x"}}');
  });
});

describe('a normalised id', () => {
  it.each([
    ['+49 (30) 123-4567', '+49301234567'],
    ['0049 30 1234567', '+49301234567'],
    ['138-0013-8000', '+8613800138000'],
    ['013800138000', '+8613800138000'],
    [13800138000, '+8613800138000'],
    ['call me', undefined],
    ['+12', undefined],
    ['+12345678901234567', undefined],
  ])('of the phone number %p is %p', (value, expected) => {
    expect(normaliseId(value, { normalise: 'phone', callingCode: '86' })).toBe(expected);
  });

  it('of a number without a calling code is none', () => {
    expect(normaliseId('030 1234567', { normalise: 'phone' })).toBeUndefined();
  });

  it('of a hashed kind is one for a value and for its hash, in capitals too', () => {
    const form = { normalise: 'email', hash: 'sha256' } as const;
    const hash = toSha256('anna@example.com');
    for (const value of ['Anna@example.com ', hash, hash.toUpperCase()]) expect(normaliseId(value, form)).toBe(hash);
  });
});
