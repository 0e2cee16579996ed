import { describe, expect, it } from '@jest/globals';
import type { Join } from '@perennial/contracts';
import { MEMBERS_MAX } from '@perennial/identity';
import { must } from '@perennial/kernel';
import { requireMembers, requireRef, requireStronger } from './check-refs.js';
import { JoinWorld, toDevice, toEvent, toUser } from './join-test-kit.js';

const anna = toUser('anna');
const bert = toUser('bert');

describe('a profile that a record names', () => {
  it.each<[string, Parameters<typeof requireRef>[0], string]>([
    ['is there', undefined, 'without a target'],
    ['has a key', { ...anna, key: '' }, 'a target has a key of 0 characters'],
    ['has a short one', { ...anna, key: 'k'.repeat(65) }, 'a key of 65 characters'],
    ['has a short id', { ...anna, subject: Buffer.alloc(2_049) }, 'a sealed id of 2049 bytes'],
  ])('%s', (_, ref, problem) => expect(() => requireRef(ref, 'a target')).toThrow(problem));

  it('hands over no more members than it may have, with keys that a state can hold', () => {
    const toMembers = (keys: readonly string[]) => keys.map((key) => ({ key, joined: true, atMs: 0 }));
    const handOver = { self: anna, from: 'f', members: [], state: Buffer.alloc(0) };
    const tooMany = toMembers(Array.from({ length: MEMBERS_MAX + 1 }, (_, i) => `m${i}`));
    expect(requireMembers({ ...handOver, members: tooMany.slice(1) })).toHaveLength(MEMBERS_MAX);
    expect(() => requireMembers({ ...handOver, members: tooMany })).toThrow('a profile with 129 members');
    expect(() => requireMembers({ ...handOver, members: toMembers(['m'.repeat(99)]) })).toThrow('key of 99');
    expect(() => requireMembers({ ...handOver, from: '' })).toThrow('from has a key of 0');
  });

  it('is stronger than the one that forwards to it', () => {
    expect(requireStronger(anna, toDevice('phone'))).toBe(anna);
    expect(() => requireStronger(bert, anna)).toThrow('user-anna forwards to user-bert, which is not stronger');
  });
});

describe('forged joins in a circle', () => {
  it('end at the weaker one, for events too, which would go round for ever', () => {
    const world = new JoinWorld();
    const join = (self: Join['self'], target: Join['self']) =>
      world.sendRecord(must(self, 'a profile').key, { $case: 'join', value: { self, target, alias: false } });
    join({ ...anna, strength: 0 }, bert);
    join({ ...bert, strength: 0 }, anna);
    world.settle();
    world.send(anna.key, toEvent(anna));
    expect(() => world.settle()).toThrow('user-anna forwards to user-bert, which is not stronger');
    world.send(bert.key, toEvent(bert));
    expect(() => world.settle()).toThrow('user-anna forwards to user-bert, which is not stronger');
  });
});
