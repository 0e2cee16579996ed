import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type About, addSaid, mergeAbout, NOTHING_KNOWN } from './about.js';
import { decodeAbout, encodeAbout } from './about-codec.js';
import { changeTag, isTagName, listGiven, mergeTags, TAGS_MAX, type TagChange, type Tags } from './tags.js';

const SEED = 34;

const give = (atMs: number, owner = 'crm'): TagChange => ({ isGiven: true, kind: 'manual', owner, atMs });
const take = (atMs: number, owner = 'crm'): TagChange => ({ isGiven: false, kind: 'imported', owner, atMs });
const change = (tags: Tags, name: string, by: TagChange): Tags => changeTag(tags, name, by) ?? tags;

const reported = fc.array(
  fc.record({ name: fc.constantFrom('a', 'b'), isGiven: fc.boolean(), owner: fc.constantFrom('x', 'y') }),
  { maxLength: 8 },
);
/** Each change at its own time, as the clock of one writer gives them. */
const fold = (changes: ReadonlyArray<{ name: string; isGiven: boolean; owner: string; atMs: number }>): Tags =>
  changes.reduce<Tags>((tags, { name, ...said }) => change(tags, name, { ...said, kind: 'manual' }), []);

describe('tags', () => {
  it('are given and taken away in turn; what changes nothing is no change', () => {
    const given = change([], 'vip', give(5));
    expect(listGiven(given)).toEqual(['vip']);
    expect(change(given, 'vip', give(9, 'sales'))).toBe(given);
    expect(change(given, 'wholesale', take(9))).toBe(given);
    const taken = change(given, 'vip', take(7));
    expect(listGiven(taken)).toEqual([]);
    expect(taken).toEqual([{ name: 'vip', changes: [take(7), give(5)] }]);
  });

  it('count in the order in which they come, whatever the clock of who writes them', () => {
    const tags = change(change([], 'vip', give(1_000)), 'vip', take(3));
    expect(tags[0]?.changes).toEqual([take(1_001), give(1_000)]);
  });

  it('remember four changes each, and 64 tags, those that were taken away least', () => {
    let tags: Tags = [];
    for (let at = 0; at < 20; at++) tags = change(tags, 'vip', at % 2 === 0 ? give(at) : take(at));
    expect(tags[0]?.changes.map(({ atMs }) => atMs)).toEqual([19, 18, 17, 16]);
    for (let n = 0; n < TAGS_MAX; n++) tags = change(tags, `t${n}`, give(100 + n));
    expect(listGiven(tags)).toHaveLength(TAGS_MAX);
    expect(tags.map(({ name }) => name)).not.toContain('vip');
    expect(changeTag(tags, 'one_more', give(500))).toBeUndefined();
    expect(changeTag(tags, 't1', take(500))).toHaveLength(TAGS_MAX);
  });

  it('of two profiles are those of both, the latest change of each counts', () => {
    const a = change(change([], 'vip', give(1)), 'vip', take(5));
    const b = change(change([], 'vip', give(3)), 'wholesale', give(2));
    expect(listGiven(mergeTags(a, b))).toEqual(['wholesale']);
    expect(listGiven(mergeTags(a, change(b, 'vip', take(4))))).toEqual(['wholesale']);
    expect(mergeTags(a, [])).toEqual(a);
  });

  it('merge in any order and grouping', () => {
    const timed = reported.chain((list) =>
      fc
        .uniqueArray(fc.integer({ min: 0, max: 60 }), { minLength: list.length, maxLength: list.length })
        .map((times) => [...times].sort((x, y) => x - y).map((atMs, index) => ({ ...must(list[index]), atMs }))),
    );
    fc.assert(
      fc.property(timed, timed, timed, (x, y, z) => {
        const [a, b, c] = [fold(x), fold(y), fold(z)];
        const all = JSON.stringify(mergeTags(mergeTags(a, b), c));
        expect(JSON.stringify(mergeTags(a, mergeTags(c, b)))).toBe(all);
      }),
      { numRuns: 500, seed: SEED },
    );
  });

  it('have names as segments have', () => {
    expect(['vip', 'a1_b'].every(isTagName)).toBe(true);
    expect(['', 'VIP', '1a', 'a b', 'x'.repeat(64), '_a'].some(isTagName)).toBe(false);
  });
});

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a value');
  return value;
}

describe('what is known about a profile with tags', () => {
  const tags = change(change(change([], 'vip', give(5)), 'vip', take(7, '')), 'wholesale', give(6, 'Zoë'));
  const about: About = {
    ...addSaid(NOTHING_KNOWN, { event: { type: 'track', name: 'x', atMs: 3 }, traits: [] }),
    tags,
  };

  it('comes back from its bytes; without tags these are those from before', () => {
    expect(decodeAbout(encodeAbout(about))).toEqual(about);
    const { tags: _, ...without } = about;
    expect(encodeAbout(without)[0]).toBe(1);
    expect(encodeAbout({ ...about, tags: [] })).toEqual(encodeAbout(without));
    const bytes = encodeAbout(about);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeAbout(bytes.subarray(0, length))).toThrow();
    }
  });

  it('keeps them through events and joins', () => {
    const said = { event: { type: 'track', name: 'y', atMs: 9 }, traits: [] };
    expect(addSaid(about, said).tags).toEqual(tags);
    expect(mergeAbout(addSaid(NOTHING_KNOWN, said), about).tags).toEqual(tags);
    expect('tags' in mergeAbout(NOTHING_KNOWN, NOTHING_KNOWN)).toBe(false);
  });
});
