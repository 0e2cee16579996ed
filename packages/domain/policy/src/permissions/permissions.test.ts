import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  findBlock,
  mergePermissions,
  NO_PERMISSIONS,
  type Permission,
  type Permissions,
  takeDelivery,
  takeObstacle,
  takePermission,
  takePurpose,
} from './permissions.js';

const said = (state: string, atMs: number, channel = 'email', topic = ''): Permission => {
  return { channel, topic, state, atMs };
};
const take = (...all: Permission[]) => all.reduce(takePermission, NO_PERMISSIONS);
const EMAIL = { channel: 'email', category: 'news' };

describe('contact permission', () => {
  it.each([
    ['nothing was said', take(), undefined],
    ['it was withdrawn', take(said('withdrawn', 1)), 'withdrawn'],
    ['it was withdrawn and granted again', take(said('withdrawn', 1), said('granted', 2)), undefined],
    ['an older grant comes late', take(said('withdrawn', 2), said('granted', 1)), 'withdrawn'],
    ['both were said at once', take(said('granted', 1), said('withdrawn', 1)), 'withdrawn'],
    ['both were said at once, the other way round', take(said('withdrawn', 1), said('granted', 1)), 'withdrawn'],
    ['a double opt-in is not confirmed', take(said('requested', 1)), 'not_confirmed'],
    ['it is confirmed', take(said('requested', 1), said('granted', 2)), undefined],
    ['every channel was withdrawn', take(said('withdrawn', 1, '*')), 'withdrawn'],
    ['every channel, and this one granted later', take(said('withdrawn', 1, '*'), said('granted', 2)), undefined],
    ['its topic was withdrawn', take(said('withdrawn', 1, 'email', 'news')), 'withdrawn'],
    ['another topic was withdrawn', take(said('withdrawn', 1, 'email', 'offers')), undefined],
    ['another channel was withdrawn', take(said('withdrawn', 1, 'sms')), undefined],
    [
      'it was withdrawn again after every channel was granted',
      take(said('withdrawn', 1), said('granted', 2, '*'), said('withdrawn', 3)),
      'withdrawn',
    ],
    [
      'it was withdrawn twice, and a grant between both comes late',
      take(said('withdrawn', 1), said('withdrawn', 5), said('granted', 3)),
      'withdrawn',
    ],
    [
      'all was withdrawn, then its topic granted',
      take(said('withdrawn', 1), said('granted', 2, 'email', 'news')),
      undefined,
    ],
    [
      'it was withdrawn, every channel granted, and it withdrawn again',
      take(said('withdrawn', 1), said('granted', 3, '*'), said('withdrawn', 5)),
      'withdrawn',
    ],
    [
      'it was granted, every channel withdrawn, and it granted again',
      take(said('granted', 1), said('withdrawn', 3, '*'), said('granted', 5)),
      undefined,
    ],
    ['all but it was withdrawn at once', take(said('withdrawn', 1, '*'), said('granted', 1)), undefined],
    ['it alone was withdrawn at once', take(said('withdrawn', 1), said('granted', 1, '*')), 'withdrawn'],
  ])('where %s', (_, permissions, reason) => {
    expect(findBlock(permissions, EMAIL)).toBe(reason);
  });

  it('ends with the consent to marketing, and comes back with it', () => {
    const without = takePurpose(NO_PERMISSIONS, { purpose: 'marketing', granted: false, atMs: 5 });
    expect(findBlock(without, EMAIL)).toBe('no_consent');
    expect(takePurpose(without, { purpose: 'marketing', granted: true, atMs: 5 })).toBe(without);
    expect(findBlock(takePurpose(without, { purpose: 'marketing', granted: true, atMs: 6 }), EMAIL)).toBeUndefined();
    const again = takePurpose(without, { purpose: 'marketing', granted: false, atMs: 9 });
    expect(findBlock(takePurpose(again, { purpose: 'marketing', granted: true, atMs: 7 }), EMAIL)).toBe('no_consent');
    const other = takePurpose(NO_PERMISSIONS, { purpose: 'analytics', granted: false, atMs: 5 });
    expect(findBlock(other, EMAIL)).toBeUndefined();
  });

  it('stays withdrawn where a consent from between two withdrawals comes late', () => {
    const marketing = (granted: boolean, atMs: number) => ({ purpose: 'marketing', granted, atMs });
    const twice = [marketing(false, 1), marketing(false, 5)].reduce(takePurpose, NO_PERMISSIONS);
    expect(findBlock(takePurpose(twice, marketing(true, 3)), EMAIL)).toBe('no_consent');
    expect(takePurpose(twice, marketing(false, 5))).toBe(twice);
  });

  it('is as it was for what is said twice', () => {
    for (const state of ['granted', 'withdrawn', 'requested']) {
      const once = take(said(state, 1));
      expect(takePermission(once, said(state, 1))).toBe(once);
    }
  });

  it('is held up by a bounce until something is delivered, by a complaint until it is granted', () => {
    const bounced = takeObstacle(NO_PERMISSIONS, { channel: 'email', kind: 'bounced', atMs: 5 });
    expect(findBlock(bounced, EMAIL)).toBe('bounced');
    expect(takeDelivery(bounced, 'email', 4)).toBe(bounced);
    expect(findBlock(takeDelivery(bounced, 'email', 6), EMAIL)).toBeUndefined();
    const complained = takeObstacle(bounced, { channel: 'email', kind: 'complained', atMs: 6 });
    expect(findBlock(takeDelivery(complained, 'email', 7), EMAIL)).toBe('complained');
    expect(findBlock(takePermission(complained, said('granted', 7)), EMAIL)).toBeUndefined();
    expect(findBlock(complained, { channel: 'sms' })).toBeUndefined();
    const granted = take(said('granted', 1));
    const complains = takeObstacle(granted, { channel: 'email', kind: 'complained', atMs: 3 });
    expect(findBlock(takePermission(complains, said('granted', 5)), EMAIL)).toBeUndefined();
  });

  it('stays bounded, and forgets no withdrawal for a grant', () => {
    let permissions = take(said('withdrawn', 0, 'first'));
    for (let at = 1; at < 100; at++) permissions = takePermission(permissions, said('granted', at, `c${at}`));
    expect(permissions.contact).toHaveLength(32);
    expect(findBlock(permissions, { channel: 'first' })).toBe('withdrawn');
  });
});

describe('two profiles that are one person', () => {
  const time = fc.nat({ max: 9 });
  const permissions: fc.Arbitrary<Permissions> = fc
    .array(
      fc.oneof(
        fc.record({
          channel: fc.constantFrom('email', 'sms', '*'),
          topic: fc.constantFrom('', 'news'),
          state: fc.constantFrom('granted', 'requested', 'withdrawn'),
          atMs: time,
        }),
        fc.record({ purpose: fc.constantFrom('marketing', 'analytics'), granted: fc.boolean(), atMs: time }),
        fc.record({
          channel: fc.constantFrom('email', 'sms'),
          kind: fc.constantFrom('bounced' as const, 'complained' as const),
          atMs: time,
        }),
      ),
      { maxLength: 6 },
    )
    .map((drawn) =>
      drawn.reduce<Permissions>((before, one) => {
        if ('purpose' in one) return takePurpose(before, one);
        return 'kind' in one ? takeObstacle(before, one) : takePermission(before, one);
      }, NO_PERMISSIONS),
    );

  const BLOCKS = [undefined, 'not_confirmed', 'withdrawn'];

  it.each([
    ['a channel', take(said('withdrawn', 1)), take(said('granted', 5, '*'))],
    ['every channel', take(said('withdrawn', 1, '*')), take(said('granted', 5))],
    ['a topic', take(said('withdrawn', 1, 'email', 'news')), take(said('granted', 5))],
    ['a topic of every channel', take(said('withdrawn', 1, '*', 'news')), take(said('granted', 5))],
  ])('keep the withdrawal of %s by one against a later grant of the other', (_, a, b) => {
    expect(findBlock(mergePermissions(a, b), EMAIL)).toBe('withdrawn');
    expect(findBlock(takePermission(mergePermissions(a, b), said('granted', 6, 'email', 'news')), EMAIL)).toBe(
      undefined,
    );
  });

  it('keep what one of them took back', () => {
    const onlySms = take(said('withdrawn', 1, '*'), said('granted', 2, 'sms'));
    const merged = mergePermissions(onlySms, take(said('granted', 5, '*')));
    expect(findBlock(merged, { channel: 'sms' })).toBeUndefined();
    expect(findBlock(merged, EMAIL)).toBe('withdrawn');
  });

  it('have the withdrawals of both, whichever joins first', () => {
    fc.assert(
      fc.property(permissions, permissions, permissions, (a, b, c) => {
        const merged = mergePermissions(a, b);
        expect(merged).toEqual(mergePermissions(b, a));
        expect(mergePermissions(merged, c)).toEqual(mergePermissions(a, mergePermissions(b, c)));
        for (const channel of ['email', 'sms', 'push']) {
          for (const category of ['news', 'offers', '']) {
            const [ofBoth, ...ofEach] = [merged, a, b].map(({ contact }) => {
              return BLOCKS.indexOf(findBlock({ ...NO_PERMISSIONS, contact }, { channel, category }));
            });
            expect(ofBoth).toBe(Math.max(...ofEach));
          }
        }
        for (const one of [a, b]) {
          const isWithout = one.purposes.some(({ granted }) => !granted);
          if (isWithout) expect(merged.purposes.some(({ granted }) => !granted)).toBe(true);
        }
      }),
    );
  });
});
