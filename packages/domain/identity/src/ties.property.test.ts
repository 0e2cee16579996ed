import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ID_STRENGTHS, isStronger, type ProfileRef } from './index.js';
import { expectEachCountedOnce, expectFoundAgain, type Reported, report, toDraw } from './join-events-test-kit.js';
import { JoinWorld } from './join-world-test-kit.js';
import { IdentityRules } from './rules/identity-rules.js';
import { requireIdentityRules } from './rules/parse-rules.js';

// fast-check prints nothing here, so the seed is part of the test's name; PROPERTY_SEED=... repeats that run.
const SEED = Number(process.env.PROPERTY_SEED ?? Date.now() % 2 ** 31);
const CASES = 400;

const RULES = requireIdentityRules(
  `version: 1
kinds:
  email: { strength: 200, read: [traits.email] }
  phone: { strength: 180, read: [traits.phone] }
`,
  { fileName: 'identity.yaml' },
);
const toRefs = (strength: number, ...keys: string[]) =>
  keys.map((key): ProfileRef => ({ key, strength, subject: Buffer.from(key) }));
const USERS = toRefs(ID_STRENGTHS.user, 'u1', 'u2', 'u3');
const DEVICES = toRefs(ID_STRENGTHS.anonymous, 'd1', 'd2', 'd3');
const OTHERS = [...toRefs(200, 'e1', 'e2'), ...toRefs(180, 'p1', 'p2')];
const IDS = [...USERS, ...DEVICES, ...OTHERS];

/** Events are keyed by users and devices; a user names its device, and both name e-mails and phones. */
const drawReported = ({ users }: { readonly users: readonly ProfileRef[] }): fc.Arbitrary<Reported> =>
  fc
    .record({
      self: fc.constantFrom(...users, ...DEVICES),
      device: fc.option(fc.constantFrom(...DEVICES)),
      others: fc.uniqueArray(fc.constantFrom(...OTHERS), { maxLength: 2 }),
    })
    .map(({ self, device, others }) => {
      const devices = device !== null && self.strength === ID_STRENGTHS.user ? [device] : [];
      return { self, named: [...devices, ...others].map((other) => ({ other, rule: 'tie' as const })) };
    });

const drawCase = (options: { readonly users: readonly ProfileRef[] }) =>
  fc.record({
    reported: fc.array(drawReported(options), { minLength: 1, maxLength: 15 }),
    places: fc.array(fc.nat({ max: 3 }), { minLength: IDS.length, maxLength: IDS.length }),
    schedule: fc.infiniteStream(fc.nat()),
  });

interface Case {
  readonly reported: readonly Reported[];
  readonly places: readonly number[];
  readonly schedule: Iterator<number>;
}

function play({ reported, places, schedule }: Case) {
  const draw = toDraw(schedule);
  const partitionOf = (key: string) => places[IDS.findIndex((ref) => ref.key === key)] ?? 0;
  const world = new JoinWorld({ partitions: 4, partitionOf, draw, rules: RULES });
  report(world, reported, draw);
  return world;
}

/** The ids that are connected with each, by whatever was reported. */
function toGroups(reported: readonly Reported[]): Map<string, Set<ProfileRef>> {
  const groups = new Map(IDS.map((ref) => [ref.key, new Set([ref])]));
  for (const { self, named } of reported) {
    for (const { other } of named) {
      const united = new Set([...(groups.get(self.key) ?? []), ...(groups.get(other.key) ?? [])]);
      for (const { key } of united) groups.set(key, united);
    }
  }
  return groups;
}

const usersOf = (group: ReadonlySet<ProfileRef>) => [...group].filter(({ strength }) => strength === ID_STRENGTHS.user);

describe(`ties by e-mail, phone and device, on any partitions, in ${CASES} cases from seed ${SEED}`, () => {
  const parameters = { seed: SEED, numRuns: CASES };
  const single = drawCase({ users: USERS.slice(0, 1) });
  const several = drawCase({ users: USERS });

  it('make one profile of all that is connected with one user or none, in any order: the strongest', () => {
    fc.assert(
      fc.property(single, (drawn) => {
        const world = play(drawn);
        for (const [key, group] of toGroups(drawn.reported)) {
          const strongest = [...group].reduce((a, b) => (isStronger(b, a) ? b : a)).key;
          expect([key, world.rootOf(key)]).toEqual([key, strongest]);
        }
      }),
      parameters,
    );
  });

  it('never join two users, and give what they share to one of them', () => {
    fc.assert(
      fc.property(several, (drawn) => {
        const world = play(drawn);
        for (const { key } of USERS) expect(world.rootOf(key)).toBe(key);
        for (const [key, group] of toGroups(drawn.reported)) {
          const users = usersOf(group).map((user) => user.key);
          if (users.length > 0) expect(users).toContain(world.rootOf(key));
        }
      }),
      parameters,
    );
  });

  it('count each event once, where it would be had all events carried the final id', () => {
    fc.assert(
      fc.property(several, (drawn) => {
        const world = play(drawn);
        expectEachCountedOnce(world, drawn.reported);
      }),
      parameters,
    );
  });

  it('are found again from the records `join` alone', () => {
    fc.assert(
      fc.property(several, (drawn) => {
        const world = play(drawn);
        expectFoundAgain(world, IDS);
      }),
      parameters,
    );
  });

  it('cost three records each at most, and the way through what has joined in between; repeats cost nothing', () => {
    fc.assert(
      fc.property(several, (drawn) => {
        const pairs = new Set(
          drawn.reported.flatMap(({ self, named }) => named.map(({ other }) => `${self.key} ${other.key}`)),
        );
        const again = play({ ...drawn, reported: [...drawn.reported, ...drawn.reported] });
        expect(again.sent).toBeLessThanOrEqual(pairs.size * (3 + IDS.length));
        const [first] = drawn.reported;
        const [named] = first?.named ?? [];
        if (first === undefined || named === undefined) return;
        expect(play({ ...drawn, reported: [{ self: first.self, named: [named] }] }).sent).toBeLessThanOrEqual(3);
      }),
      { ...parameters, numRuns: 150 },
    );
  });
});

describe(`ties by kinds that the rules in force have dropped, in ${CASES} cases from seed ${SEED}`, () => {
  const single = drawCase({ users: USERS.slice(0, 1) });
  const drawLater = fc.array(drawReported({ users: USERS.slice(0, 1) }), { minLength: 1, maxLength: 8 });
  const drawDropped = fc.subarray([200, 180], { minLength: 1 });

  it('join nobody, and join as ever once the kinds are back and are named again', () => {
    fc.assert(
      fc.property(single, drawLater, drawDropped, (drawn, later, dropped) => {
        const world = play(drawn);
        const draw = toDraw(drawn.schedule);
        const toRoots = () => IDS.map(({ key }) => [key, world.rootOf(key)]);
        const before = toRoots();
        const byDropped = later.map(({ self, named }) => ({
          self,
          named: named.filter(({ other }) => dropped.includes(other.strength)),
        }));
        world.rules = new IdentityRules(RULES.kinds.filter(({ strength }) => !dropped.includes(strength)));
        report(world, byDropped, draw);
        expect(toRoots()).toEqual(before);

        world.rules = RULES;
        report(world, byDropped, draw);
        for (const [key, group] of toGroups([...drawn.reported, ...byDropped])) {
          const strongest = [...group].reduce((a, b) => (isStronger(b, a) ? b : a)).key;
          expect([key, world.rootOf(key)]).toEqual([key, strongest]);
        }
      }),
      { seed: SEED, numRuns: CASES },
    );
  });
});
