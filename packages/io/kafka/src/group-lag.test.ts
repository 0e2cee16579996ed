import { describe, expect, it } from '@jest/globals';
import { AppError } from '@perennial/kernel';
import { readUnread, sumLag, toLag, toUnread } from './group-lag.js';
import type { Log } from './log.js';

const GROUP = { groupId: 'g', topic: 't' };

function createLog(committed: () => Promise<ReadonlyMap<number, number>>): Log {
  const unused = () => Promise.reject(new Error('not asked'));
  const offsets = new Map([
    [0, { low: 10, high: 30 }],
    [1, { low: 0, high: 5 }],
    [2, { low: 4, high: 4 }],
  ]);
  return {
    createProducer: unused,
    startConsumer: unused,
    offsets: async () => offsets,
    heldBack: async () => new Map(),
    groupOffsets: committed,
    close: unused,
  };
}

describe('what a group has not read', () => {
  it('begins at its committed offset, or where the log begins', async () => {
    const unread = await readUnread(
      createLog(async () => new Map([[0, 25]])),
      GROUP,
    );
    expect([...unread]).toEqual([
      [0, { from: 25, to: 30 }],
      [1, { from: 0, to: 5 }],
      [2, { from: 4, to: 4 }],
    ]);
    expect(sumLag(unread)).toBe(10);
    expect([...unread.values()].map(toLag)).toEqual([5, 5, 0]);
  });

  it('is all that the log has, for a group that nobody knows', async () => {
    const unread = await readUnread(
      createLog(() => Promise.reject(new AppError('not_found', 'no such group'))),
      GROUP,
    );
    expect(sumLag(unread)).toBe(25);
  });

  it.each([
    ['what was removed is not owed', 3, { from: 10, to: 30 }],
    ['a reader beyond the end owes nothing', 40, { from: 30, to: 30 }],
    ['a reader that has read nothing owes all', undefined, { from: 10, to: 30 }],
  ])('%s', (_what, next, unread) => {
    expect(toUnread({ low: 10, high: 30 }, next)).toEqual(unread);
  });
});
