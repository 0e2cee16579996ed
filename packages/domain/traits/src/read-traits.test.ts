import { describe, expect, it } from '@jest/globals';
import { addSaid, NOTHING_KNOWN } from './about.js';
import { describeAbout } from './describe.js';
import { readTraits, withoutTraits } from './read-traits.js';
import { isPersonalByName } from './trait-names.js';

const all = () => true;

describe('traits', () => {
  it('have the type of their value, and dots in nested names', () => {
    const { traits, leftOut } = readTraits(
      {
        plan: 'pro',
        seats: 3,
        vip: true,
        gone: null,
        since: '2024-02-29',
        renewed: '2024-03-01T10:00:00+02:00',
        local: '2024-03-01T10:00:00',
        never: '2023-02-29',
        company: { plan: 'big', address: { city: 'Kyoto' } },
      },
      all,
    );
    expect(leftOut).toEqual([]);
    expect(Object.fromEntries(traits.map(({ name, value }) => [name, value]))).toEqual({
      plan: { kind: 'text', text: 'pro' },
      seats: { kind: 'number', number: 3 },
      vip: { kind: 'flag', flag: true },
      gone: { kind: 'removed' },
      since: { kind: 'time', timeMs: Date.UTC(2024, 1, 29) },
      renewed: { kind: 'time', timeMs: Date.UTC(2024, 2, 1, 8) },
      local: { kind: 'text', text: '2024-03-01T10:00:00' },
      never: { kind: 'text', text: '2023-02-29' },
      'company.plan': { kind: 'text', text: 'big' },
      'company.address.city': { kind: 'text', text: 'Kyoto' },
    });
  });

  it('are left out with the reason', () => {
    const many = Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`n${n}`, n]));
    expect(readTraits(many, all).leftOut).toEqual(['too_many']);
    const odd = {
      a: { b: { c: { d: 1 } } },
      list: [1],
      long: 'x'.repeat(101),
      half: '\ud800',
      ['n'.repeat(65)]: 1,
      '': 1,
    };
    expect(readTraits(odd, all)).toEqual({
      traits: [],
      leftOut: ['too_deep', 'unsupported', 'too_long', 'unsupported', 'too_long', 'unsupported'],
    });
    expect(readTraits({ shoe: 44 }, () => false)).toEqual({ traits: [], leftOut: ['undeclared'] });
    expect(readTraits(JSON.parse('{"__proto__":{"constructor":1}}'), all).traits).toEqual([
      { name: '__proto__.constructor', value: { kind: 'number', number: 1 } },
    ]);
  });

  it('that are personal are taken out at any depth, also out of lists', () => {
    const json = {
      email: 'a@b.c',
      plan: 'pro',
      friends: [{ name: 'Bo', since: 1 }],
      company: { name: 'X', plan: 'big' },
    };
    expect(withoutTraits(json, isPersonalByName)).toEqual({
      kept: { plan: 'pro', friends: [{ since: 1 }], company: { plan: 'big' } },
      count: 3,
    });
    const clean = { plan: 'pro' };
    expect(withoutTraits(clean, isPersonalByName).kept).toBe(clean);
    const hostile = JSON.parse('{"__proto__":{"email":1}}');
    expect(JSON.stringify(withoutTraits(hostile, isPersonalByName).kept)).toBe('{"__proto__":{}}');
  });

  it.each([
    [['email'], true],
    [['First_Name'], true],
    [['address', 'city'], true],
    [['company', 'name'], true],
    [['plan'], false],
    [['company', 'plan'], false],
    [['created-at'], false],
    [['shoe'], undefined],
  ])('%j are personal by name: %p', (names, expected) => {
    expect(isPersonalByName(names)).toBe(expected);
  });

  it('are shown with their other values, and not once they are removed', () => {
    const said = (atMs: number, json: Record<string, unknown>, accountId?: string) => ({
      event: { type: 'identify', name: '', atMs },
      traits: readTraits(json, all).traits,
      accountId,
    });
    const about = [
      said(2_000, { plan: 'pro', vip: true }, 'acme'),
      said(1_000, { plan: 'free' }),
      said(3_000, { vip: null }),
    ].reduce(addSaid, NOTHING_KNOWN);
    expect(describeAbout(about)).toEqual({
      tags: [],
      traits: [
        {
          name: 'plan',
          type: 'text',
          value: 'pro',
          at: '1970-01-01T00:00:02.000Z',
          before: [{ value: 'free', at: '1970-01-01T00:00:01.000Z' }],
        },
      ],
      account: { id: 'acme', since: '1970-01-01T00:00:02.000Z' },
      events: [3, 2, 1].map((s) => ({ type: 'identify', name: '', at: `1970-01-01T00:00:0${s}.000Z` })),
    });
  });
});
