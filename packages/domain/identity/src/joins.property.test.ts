import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ID_STRENGTHS, isStronger, type ProfileRef } from './index.js';
import { expectEachCountedOnce, expectFoundAgain, type Reported, report, toDraw } from './join-events-test-kit.js';
import { JoinWorld } from './join-world-test-kit.js';

// fast-check prints nothing here, so the seed is part of the test's name; PROPERTY_SEED=... repeats that run.
const SEED = Number(process.env.PROPERTY_SEED ?? Date.now() % 2 ** 31);
const CASES = 1_500;

const USERS = ['u1', 'u2', 'u3', 'u4', 'u5'].map((key) => toRef(key, ID_STRENGTHS.user));
const DEVICES = ['d1', 'd2', 'd3'].map((key) => toRef(key, ID_STRENGTHS.anonymous));
const IDS = [...USERS, ...DEVICES];

function toRef(key: string, strength: number): ProfileRef {
  return { key, strength, subject: Buffer.from(key) };
}

const drawUser = fc.constantFrom(...USERS);
const drawReported: fc.Arbitrary<Reported> = fc.oneof(
  fc.record({ self: fc.constantFrom(...IDS), named: fc.constant([]) }),
  fc.record({ self: drawUser, named: fc.constantFrom(...DEVICES).map((other) => [{ other, rule: 'claim' as const }]) }),
  fc.record({ self: drawUser, named: drawUser.map((other) => [{ other, rule: 'alias' as const }]) }),
);

const drawCase = fc.record({
  reported: fc.array(drawReported, { minLength: 1, maxLength: 25 }),
  places: fc.array(fc.nat({ max: 3 }), { minLength: IDS.length, maxLength: IDS.length }),
  schedule: fc.infiniteStream(fc.nat()),
});

/** Plays a case to its end: the events come in their order, the partitions step in any. */
function play({
  reported,
  places,
  schedule,
}: {
  reported: readonly Reported[];
  places: readonly number[];
  schedule: Iterator<number>;
}) {
  const draw = toDraw(schedule);
  const partitionOf = (key: string) => places[IDS.findIndex((ref) => ref.key === key)] ?? 0;
  const world = new JoinWorld({ partitions: 4, partitionOf, draw });
  report(world, reported, draw);
  return world;
}

/** The strongest of all users that aliases connect with each. */
function toStrongest(reported: readonly Reported[]): Map<string, string> {
  const groups = new Map(USERS.map((user) => [user.key, new Set([user])]));
  for (const { self, named } of reported) {
    for (const { other, rule } of named) {
      if (rule !== 'alias') continue;
      const united = new Set([...(groups.get(self.key) ?? []), ...(groups.get(other.key) ?? [])]);
      for (const { key } of united) groups.set(key, united);
    }
  }
  return new Map([...groups].map(([key, group]) => [key, [...group].reduce((a, b) => (isStronger(b, a) ? b : a)).key]));
}

describe(`joins in any order, on any partitions, in ${CASES} cases from seed ${SEED}`, () => {
  const parameters = { seed: SEED, numRuns: CASES };

  it('end in one profile, the strongest of those that are one person, without circles', () => {
    fc.assert(
      fc.property(drawCase, (drawn) => {
        const world = play(drawn);
        for (const [key, strongest] of toStrongest(drawn.reported))
          expect([key, world.rootOf(key)]).toEqual([key, strongest]);
      }),
      parameters,
    );
  });

  it('give a device to one of those who named it, and to nobody when nobody did', () => {
    fc.assert(
      fc.property(drawCase, (drawn) => {
        const world = play(drawn);
        for (const { key } of DEVICES) {
          const claimants = drawn.reported.filter(({ named }) => named.some(({ other }) => other.key === key));
          const roots = claimants.map(({ self }) => world.rootOf(self.key));
          expect(roots.length === 0 ? [key] : roots).toContain(world.rootOf(key));
        }
      }),
      parameters,
    );
  });

  it('count each event once, where it would be had all events carried the final id', () => {
    fc.assert(
      fc.property(drawCase, (drawn) => {
        const world = play(drawn);
        expectEachCountedOnce(world, drawn.reported);
      }),
      parameters,
    );
  });

  it('are found again from the records `join` alone', () => {
    fc.assert(
      fc.property(drawCase, (drawn) => {
        const world = play(drawn);
        expectFoundAgain(world, IDS);
      }),
      parameters,
    );
  });

  it('ask each other id once, whatever is repeated', () => {
    fc.assert(
      fc.property(drawCase, (drawn) => {
        const world = play(drawn);
        const pairs = new Set(
          drawn.reported.flatMap(({ self, named }) => named.map(({ other }) => `${self.key} ${other.key}`)),
        );
        const again = play({ ...drawn, reported: [...drawn.reported, ...drawn.reported] });
        // Three records a pair, and the way through what has joined in between.
        for (const { sent } of [world, again]) expect(sent).toBeLessThanOrEqual(pairs.size * (3 + 2 * USERS.length));
      }),
      { ...parameters, numRuns: 500 },
    );
  });
});
