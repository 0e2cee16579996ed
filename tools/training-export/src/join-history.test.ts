import { describe, expect, it } from '@jest/globals';
import { JoinHistory } from './join-history.js';

const STRENGTHS: Record<string, number> = { user: 240, other: 240, mail: 200, phone: 16, laptop: 16 };
const toRef = (key: string) => ({ key, strength: STRENGTHS[key] ?? 0, subject: Buffer.alloc(0) });
const toJoin = (key: string, target: string, change?: number) => ({
  kind: 'join' as const,
  key,
  join: { self: toRef(key), target: toRef(target), change },
});

describe('who was part of whom', () => {
  it('is known from the cutoff on at which the join was, over several keys', () => {
    const joins = new JoinHistory();
    joins.take(toJoin('phone', 'mail'), 1);
    joins.take(toJoin('mail', 'user'), 3);
    const roots = [0, 1, 2, 3].map((at) => joins.rootAt('phone', at));
    expect(roots).toEqual(['phone', 'mail', 'mail', 'user']);
    expect([0, 2, 3].map((at) => joins.membersAt('mail', at))).toEqual([
      ['mail'],
      ['mail', 'phone'],
      ['user', 'mail', 'phone'],
    ]);
    expect(['phone', 'mail', 'user', 'laptop'].map((key) => joins.isJoined(key, 2))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(new Set(['phone', 'mail', 'user'].map((key) => joins.groupOf(key))).size).toBe(1);
    expect(joins.isInvolved('laptop')).toBe(false);
  });

  it('is the first of two joins, and none of a weaker profile', () => {
    const joins = new JoinHistory();
    joins.take(toJoin('phone', 'user'), 1);
    joins.take(toJoin('phone', 'other'), 2);
    joins.take(toJoin('user', 'laptop'), 2);
    expect(joins.membersAt('phone', 3)).toEqual(['user', 'phone']);
    expect(joins.isInvolved('other')).toBe(false);
  });

  it('ends with an unmerge, after which only a change joins them', () => {
    const joins = new JoinHistory();
    joins.take(toJoin('phone', 'user'), 1);
    joins.take({ kind: 'parted', key: 'phone', other: 'user' }, 2);
    joins.take(toJoin('phone', 'user'), 3);
    joins.take(toJoin('phone', 'user', 7), 4);
    expect([0, 1, 2, 3, 4].map((at) => joins.isJoined('user', at))).toEqual([false, true, false, false, true]);
  });

  it('is nothing where both came between two cutoffs', () => {
    const joins = new JoinHistory();
    joins.take(toJoin('phone', 'user'), 1);
    joins.take({ kind: 'parted', key: 'phone', other: 'user' }, 1);
    expect(joins.isJoined('phone', 1)).toBe(false);
  });

  it('holds no more keys than its limit', () => {
    const joins = new JoinHistory(3);
    joins.take(toJoin('phone', 'user'), 1);
    expect(() => joins.take(toJoin('laptop', 'mail'), 1)).toThrow('more than 3 profiles of the archive took part in');
  });
});
