import { describe, expect, it } from '@jest/globals';
import {
  ID_STRENGTHS,
  LONE_ROOT,
  MEMBERS_MAX,
  type ProfileRef,
  takeEvent,
  takeHandOver,
  takeJoin,
  takeLink,
} from './index.js';
import { JoinWorld } from './join-world-test-kit.js';

const anna = toRef('anna', ID_STRENGTHS.user);
const bert = toRef('bert', ID_STRENGTHS.user);
const phone = toRef('phone', ID_STRENGTHS.anonymous);

function toRef(key: string, strength: number): ProfileRef {
  return { key, strength, subject: Buffer.from(key) };
}

/** Everything on one partition, each record processed to its end before the next event comes. */
function playInOrder(events: ReadonlyArray<{ self: ProfileRef; claims?: ProfileRef; alias?: ProfileRef }>): JoinWorld {
  const world = new JoinWorld({ partitions: 1, partitionOf: () => 0, draw: () => 0 });
  for (const [id, { self, claims, alias }] of events.entries()) {
    const named = [
      ...(claims === undefined ? [] : [{ other: claims, rule: 'claim' as const }]),
      ...(alias === undefined ? [] : [{ other: alias, rule: 'alias' as const }]),
    ];
    world.append({ kind: 'event', self, id, named });
    while (world.step());
  }
  return world;
}

describe('one join', () => {
  it('costs two records for a device, however often it is named', () => {
    const world = playInOrder([{ self: phone }, { self: anna, claims: phone }, { self: anna, claims: phone }]);
    expect(world.sent).toBe(2);
    expect(world.profiles.get('anna')?.ids).toEqual([1, 0, 2]);
    expect(world.profiles.get('phone')).toMatchObject({ ids: [], node: { kind: 'forwarder', to: anna } });
  });

  it.each([
    ['the weaker one', anna, bert, 2],
    ['the stronger one', bert, anna, 3],
  ])('of two users costs at most three, named %s', (_, self, alias, sent) => {
    const world = playInOrder([{ self: anna }, { self: bert }, { self, alias }]);
    expect(world.sent).toBe(sent);
    expect(world.rootOf('bert')).toBe('anna');
    expect(world.profiles.get('anna')?.ids).toHaveLength(3);
  });

  it('is over when it is asked for again', () => {
    const node = { kind: 'forwarder', to: anna, sinceMs: 1 } as const;
    expect(takeJoin(node, { self: bert, target: anna, rule: 'alias', atMs: 2 })).toEqual({ result: 'done', node });
  });
});

describe('two users who each say that they are the other one, at once', () => {
  it('end in one profile in any order of steps, at three records each at most', () => {
    for (let schedule = 0; schedule < 1_000; schedule++) {
      let step = 0;
      const draw = (below: number) => (schedule >> (step++ % 12)) % below;
      const world = new JoinWorld({ partitions: 2, partitionOf: (key) => (key === 'anna' ? 0 : 1), draw });
      for (const [id, [self, other]] of [[anna, bert] as const, [bert, anna] as const].entries())
        world.append({ kind: 'event', self, id, named: [{ other, rule: 'alias' }] });
      while (world.step());
      expect([world.rootOf('anna'), world.rootOf('bert')]).toEqual(['anna', 'anna']);
      expect(world.profiles.get('anna')?.ids.toSorted()).toEqual([0, 1]);
      expect(world.sent).toBeLessThanOrEqual(6);
    }
  });
});

describe('a log-out', () => {
  it('merges nobody: the next user of the device, and what he does before he logs in, stay apart after a reset', () => {
    const tablet = toRef('tablet', ID_STRENGTHS.anonymous);
    const world = playInOrder([
      { self: phone },
      { self: anna, claims: phone },
      // The SDK's reset() gives the device another id.
      { self: tablet },
      { self: bert, claims: tablet },
      { self: anna, claims: phone },
    ]);
    expect(world.profiles.get('anna')?.ids.toSorted()).toEqual([0, 1, 4]);
    expect(world.profiles.get('bert')?.ids.toSorted()).toEqual([2, 3]);
  });
});

describe('a link', () => {
  const events = [{ self: phone }, { self: anna, claims: phone }, { self: phone }, { self: anna }];
  it.each([0, 1, 2, 3])(
    'gives the same profile before, amid and after the events that it concerns (at place %i)',
    (place) => {
      const others = events.filter(({ claims }) => claims === undefined);
      const world = playInOrder([...others.slice(0, place), { self: anna, claims: phone }, ...others.slice(place)]);
      expect(world.profiles.get('anna')?.ids).toHaveLength(4);
      expect(world.rootOf('phone')).toBe('anna');
      expect(world.sent).toBeLessThanOrEqual(2);
    },
  );
});

describe('two users on one device', () => {
  it('stay two: what the device did without a user belongs to the first, also after his log-out', () => {
    const world = playInOrder([
      { self: phone },
      { self: anna, claims: phone },
      { self: phone },
      { self: bert, claims: phone },
      { self: phone },
    ]);
    expect(world.profiles.get('anna')?.ids.toSorted()).toEqual([0, 1, 2, 4]);
    expect(world.profiles.get('bert')?.ids).toEqual([3]);
  });

  it('are one once an alias says so', () => {
    const world = playInOrder([
      { self: anna, claims: phone },
      { self: bert, claims: phone },
      { self: bert, alias: anna },
    ]);
    expect(world.rootOf('bert')).toBe('anna');
    expect(world.profiles.get('anna')?.ids.toSorted()).toEqual([0, 1, 2]);
  });
});

describe('an id that too many share', () => {
  const many = Array.from({ length: MEMBERS_MAX + 50 }, (_, index) => toRef(`d${index}`, ID_STRENGTHS.anonymous));

  it('asks no more of them from a number on, and counts those that it cut off', () => {
    const world = playInOrder([...many.map((self) => ({ self })), ...many.map((claims) => ({ self: anna, claims }))]);
    expect(world.profiles.get('anna')?.node).toMatchObject({ cutOff: 50 });
    expect(world.sent).toBe(2 * MEMBERS_MAX);
    expect(world.rootOf('d0')).toBe('anna');
    expect(world.rootOf(`d${MEMBERS_MAX}`)).toBe(`d${MEMBERS_MAX}`);
  });

  it('does not grow as a device that many users name', () => {
    const users = Array.from({ length: 300 }, (_, index) => toRef(`u${index}`, ID_STRENGTHS.user));
    const world = playInOrder([{ self: phone }, ...users.map((self) => ({ self, claims: phone }))]);
    expect(world.rootOf('phone')).toBe('u0');
    expect(world.sent).toBe(users.length + 1);
  });

  it('keeps no more members than that when profiles join that have many', () => {
    const members = many.map(({ key }) => ({ key, isJoined: true, atMs: 1 }));
    const taken = takeHandOver(undefined, { from: 'bert', members, atMs: 2 });
    expect(taken.node).toMatchObject({ cutOff: 51 });
    expect(taken.node.kind === 'root' && taken.node.members).toHaveLength(MEMBERS_MAX);
  });
});

describe('a forged record', () => {
  it('joins nobody to a weaker profile or to himself', () => {
    expect(takeJoin(undefined, { self: anna, target: phone, rule: 'claim', atMs: 1 }).result).toBe('done');
    expect(takeJoin(LONE_ROOT, { self: anna, target: anna, rule: 'alias', atMs: 1 }).result).toBe('done');
    const claim = { other: anna, rule: 'claim' } as const;
    expect(takeEvent(LONE_ROOT, { self: bert, named: [claim], atMs: 1 })).toMatchObject({ node: LONE_ROOT, sent: [] });
  });
});

describe('a tie by a kind that the rules in force lack', () => {
  const email = toRef('email', 200);
  const atMs = 2;
  const ofBert = { kind: 'forwarder', to: bert, sinceMs: 1 } as const;

  it('asks nobody, and leaves no trace of it: it is asked once the kind is there', () => {
    const named = [{ other: email, rule: 'tie' }] as const;
    const nothing = { node: LONE_ROOT, sent: [], conflicts: 0 };
    expect(takeEvent(LONE_ROOT, { self: anna, named, atMs })).toMatchObject(nothing);
  });

  it.each([
    ['at the id itself', { self: email, other: phone }],
    ['at another one that it comes to', { self: anna, other: email }],
  ])('ends as a link %s, joined or not', (_, link) => {
    for (const node of [LONE_ROOT, ofBert])
      expect(takeLink(node, { ...link, rule: 'tie', atMs })).toEqual({ result: 'no_kind', node });
  });

  it('ends at an id that belongs to another profile', () => {
    const tie = { self: email, target: anna, rule: 'tie', atMs } as const;
    expect(takeJoin(ofBert, tie)).toEqual({ result: 'elsewhere', node: ofBert, sent: [] });
    const ofEmail = { ...ofBert, to: email };
    expect(takeJoin(ofEmail, { ...tie, self: phone })).toEqual({ result: 'elsewhere', node: ofEmail, sent: [] });
  });

  it('joins one that belongs to nobody and is asked already, as readers of the log without states take it', () => {
    expect(takeJoin(undefined, { self: email, target: anna, rule: 'tie', atMs }).result).toBe('hand_over');
  });

  it('does not stop what is said expressly, or by a change', () => {
    expect(takeLink(LONE_ROOT, { self: email, other: phone, rule: 'alias', atMs })).toMatchObject({
      sent: [{ kind: 'join', to: phone, target: email }],
    });
    expect(takeJoin(ofBert, { self: email, target: anna, rule: 'merge', change: 1, atMs })).toMatchObject({
      sent: [{ kind: 'link', to: bert, other: anna, rule: 'merge' }],
    });
  });
});
