import { describe, expect, it } from '@jest/globals';
import type { AcceptedEvent, AcceptedRecord } from '@perennial/contracts';
import { type AcceptedEntry, recountPeople } from './people.js';

const BLANK = { strength: 0, subject: Buffer.alloc(0) };
let ids = 0;

function toEvent(key: string, fields: Partial<AcceptedEvent> = {}): AcceptedEntry {
  const value = { messageId: `m${ids++}`, type: 'track', name: 'Order Completed', amount: 10, anonymous: false };
  const event = { namedIds: [], ...value, ...fields } as Partial<AcceptedEvent> as AcceptedEvent;
  return { key, position: undefined, record: { $case: 'event', value: event } };
}

const onDevice = (key: string) => toEvent(key, { anonymous: true });
const claim = (user: string, device: string) =>
  toEvent(user, { namedIds: [{ profile: { key: device, ...BLANK }, alias: false }] });
const alias = (user: string, previous: string) =>
  toEvent(user, { namedIds: [{ profile: { key: previous, ...BLANK }, alias: true }] });

function toEntry(key: string, record: AcceptedEntry['record']): AcceptedEntry {
  return { key, position: undefined, record };
}

function toRecord(key: string, position: string, record: NonNullable<AcceptedRecord['record']>): AcceptedEntry {
  return { key, position, record };
}

const join = (device: string, target: string, position = `${device} ${target}`) =>
  toRecord(device, position, {
    $case: 'join',
    value: { self: { key: device, ...BLANK }, target: { key: target, ...BLANK }, alias: false },
  });

const unmerge = (key: string, step: string, { leaver = key, other = '', number = 1 } = {}) =>
  toRecord(key, `${key} ${step} ${number}`, {
    $case: 'unmerge',
    value: { self: undefined, step, number, attempt: 1, leaver: { key: leaver, ...BLANK }, other, hash: '' },
  });
const change = (id: string) =>
  toEntry('identity-ledger', {
    $case: 'identityChange',
    value: { id, kind: 'unmerge', weaker: undefined, stronger: undefined, by: '', reason: '', atMs: 0 },
  });
/** What was asked, and what came of it. */
const parted = (leaver: string, other: string) => [
  change('c'),
  unmerge(leaver, 'left', { other }),
  unmerge('identity-ledger', 'done', { leaver, other }),
];

const rootsOf = (entries: readonly AcceptedEntry[]) =>
  Object.fromEntries([...recountPeople(entries).personOf].map(([key, { root }]) => [key, root]));

describe('who is whom, by the accepted events alone', () => {
  it('is each key for itself, its events counted once', () => {
    const event = toEvent('a');
    const { people, problems } = recountPeople([event, event, toEvent('b'), toEvent('b', { name: 'Page', amount: 7 })]);
    expect(
      people.map(({ root, messageIds, orders, revenueCents }) => [root, messageIds.size, orders, revenueCents]),
    ).toEqual([
      ['a', 1, 1, 1_000],
      ['b', 2, 1, 1_000],
    ]);
    expect(problems).toEqual([]);
  });

  it('does not count what others report, and knows nobody by it alone', () => {
    const report = (key: string, type: string) => toEvent(key, { type, name: 'opened', amount: undefined });
    const { people, figures } = recountPeople([toEvent('a'), report('a', 'outcome'), report('b', 'contact')]);
    expect(people.map(({ root, messageIds }) => [root, messageIds.size])).toEqual([['a', 1]]);
    expect(figures.total).toBe(1);
  });

  it('is a user with the device that was asked for it, whose events are its own', () => {
    const entries = [onDevice('d'), claim('z', 'd'), join('d', 'z')];
    expect(rootsOf(entries)).toEqual({ d: 'z', z: 'z' });
    expect(recountPeople(entries).people[0]?.messageIds.size).toBe(2);
  });

  it('is two users on one device: it belongs to whose join came first', () => {
    expect(rootsOf([claim('a', 'd'), claim('b', 'd'), join('d', 'b'), join('d', 'a')])).toEqual({
      a: 'a',
      b: 'b',
      d: 'b',
    });
  });

  it('is one for users of an alias: one after another, in circles, and who has no events', () => {
    expect(rootsOf([alias('c', 'b'), alias('b', 'a'), alias('a', 'c'), toEvent('x')])).toEqual({
      a: 'a',
      b: 'a',
      c: 'a',
      x: 'x',
    });
  });

  it('finds a device that nobody asked, and one that belongs to who did not name it', () => {
    expect(recountPeople([claim('a', 'd')]).problems).toEqual(['nobody asked d, which is connected with a']);
    expect(recountPeople([claim('a', 'd'), join('d', 'b')]).problems).toEqual(['d belongs to b, who did not name it']);
    // Joined to the user by then.
    expect(recountPeople([claim('b', 'd'), alias('b', 'a'), join('d', 'a')]).problems).toEqual([]);
  });

  it('parts a device from a user, however often it is named, until another one asks it', () => {
    const before = [onDevice('d'), claim('a', 'd'), join('d', 'a')];
    const again = [claim('a', 'd'), join('d', 'a', 'later'), onDevice('d')];
    expect(rootsOf([...before, ...parted('d', 'a'), ...again])).toEqual({ a: 'a', d: 'd' });
    const unused = [claim('a', 'd'), join('d', 'a'), ...parted('d', 'a')];
    expect(recountPeople(unused)).toMatchObject({ problems: [], figures: { total: 1 } });
    expect(recountPeople([...before, ...parted('d', 'a'), ...again])).toMatchObject({
      problems: [],
      figures: { total: 2, people: 0, unmerges: 1, parted: 1 },
    });
    const by = [...again, claim('b', 'd'), join('d', 'b')];
    expect(rootsOf([...before, ...parted('d', 'a'), ...by])).toEqual({ a: 'a', b: 'b', d: 'b' });
    // Published again, before the next one asks.
    const left = unmerge('d', 'left', { other: 'a' });
    expect(rootsOf([...before, ...parted('d', 'a'), ...by, left])).toMatchObject({ d: 'b' });
  });

  it('parts two users for good, each with the device that asked for it', () => {
    const joined = [alias('b', 'a'), alias('a', 'b'), join('b', 'a')];
    const again = [alias('b', 'a'), join('b', 'a', 'again')];
    const after = (...before: AcceptedEntry[]) => {
      expect(rootsOf([...before, ...joined])).toEqual({ a: 'a', b: 'a', d: 'a' });
      const { problems } = recountPeople([...before, ...joined, ...parted('b', 'a'), ...again]);
      expect(problems).toEqual([]);
      return rootsOf([...before, ...joined, ...parted('b', 'a'), ...again]);
    };
    expect(after(claim('a', 'd'), join('d', 'a'))).toEqual({ a: 'a', b: 'b', d: 'a' });
    expect(after(claim('b', 'd'), join('d', 'b'))).toEqual({ a: 'a', b: 'b', d: 'b' });
    // Named by one of them, asked by the other one while they were one.
    expect(after(claim('b', 'd'), join('d', 'a'))).toEqual({ a: 'a', b: 'b', d: 'a' });
  });

  it('finds an unmerge that did not end, was half done, or left another one than it belonged to', () => {
    const before = [onDevice('d'), claim('a', 'd'), join('d', 'a')];
    const problemsOf = (...entries: AcceptedEntry[]) => recountPeople([...before, ...entries]).problems;
    expect(problemsOf(change('c'), change('c'))).toEqual(['of 1 unmerges 0 were done and 0 in vain']);
    expect(problemsOf(change('c'), unmerge('identity-ledger', 'not_joined'))).toEqual([]);
    const [asked, left, done] = parted('d', 'a') as [AcceptedEntry, AcceptedEntry, AcceptedEntry];
    expect(problemsOf(asked, done)).toEqual(['unmerge 1 was left half done']);
    expect(problemsOf(asked, unmerge('identity-ledger', 'failed'))).toContain('unmerge 1 failed: undefined');
    expect(problemsOf(asked, left)).toContain('unmerge 1 was left half done');
    expect(problemsOf(...parted('d', 'x'))).toContain('d left x, and belonged to a');
  });

  it('counts what joins cost, records that came again once, and copies of events never', () => {
    const copy = toEvent('a', { forwardedTo: { key: 'a', ...BLANK } });
    const entries = [
      onDevice('d'),
      claim('a', 'd'),
      join('d', 'a', 'p'),
      join('d', 'a', 'p'),
      { ...copy, position: 'q' },
    ];
    expect(recountPeople(entries).figures).toEqual({
      total: 1,
      people: 1,
      ids: 2,
      joins: 1,
      links: 0,
      handOvers: 0,
      forwardedEvents: 1,
      unmerges: 0,
      parted: 0,
      retracted: 0,
    });
    expect(recountPeople(entries).people[0]?.messageIds.size).toBe(2);
  });
});

describe('an event that was taken back', () => {
  it('is none, whichever id it came under, also when it comes again', () => {
    const event = onDevice('d');
    const { messageId } = (event.record as { value: AcceptedEvent }).value;
    const value = { messageId, self: { key: 'd', ...BLANK } } as never;
    const entries = [event, claim('u', 'd'), join('d', 'u'), toEntry('d', { $case: 'retraction', value }), event];
    const { people, figures } = recountPeople(entries);
    expect(people.map(({ root, messageIds, orders }) => [root, messageIds.size, orders])).toEqual([['u', 1, 1]]);
    expect(figures.retracted).toBe(1);
  });
});

describe('ids of other kinds', () => {
  const mail = { strength: 200, subject: Buffer.alloc(0) };
  const tie = (self: AcceptedEntry, key: string, ref: typeof mail): AcceptedEntry => {
    const event = (self.record as { value: AcceptedEvent }).value;
    const namedIds = [...event.namedIds, { profile: { key, ...ref }, alias: false, tie: true }];
    return { ...self, record: { $case: 'event', value: { ...event, namedIds } } };
  };

  it('join what names them, and are of the user who asked them', () => {
    const entries = [
      tie(onDevice('d'), 'mail', mail),
      tie(toEvent('u'), 'mail', mail),
      join('d', 'mail'),
      join('mail', 'u'),
    ];
    expect(rootsOf(entries)).toEqual({ d: 'u', mail: 'u', u: 'u' });
    expect(recountPeople(entries).problems).toEqual([]);
  });

  it('are the root of devices without a user, of which each must have joined', () => {
    const entries = [tie(onDevice('d'), 'mail', mail), tie(onDevice('e'), 'mail', mail), join('d', 'mail')];
    expect(rootsOf([...entries, join('e', 'mail')])).toEqual({ d: 'mail', e: 'mail', mail: 'mail' });
    expect(recountPeople(entries).problems).toEqual(['nobody asked e, which is connected with mail, d']);
  });

  it('of two users belong to one of both, and to nobody else', () => {
    const named = [tie(toEvent('u'), 'mail', mail), tie(toEvent('v'), 'mail', mail)];
    const entries = [...named, tie(onDevice('d'), 'mail', mail), join('mail', 'v'), join('d', 'v'), toEvent('w')];
    expect(rootsOf(entries)).toEqual({ d: 'v', mail: 'v', u: 'u', v: 'v', w: 'w' });
    expect(recountPeople([...named, toEvent('w'), join('mail', 'w')]).problems).toEqual([
      'mail belongs to w, who did not name it',
    ]);
  });
});
