import { describe, expect, it } from '@jest/globals';
import { INITIAL_RATES } from '@perennial/commerce';
import { DAY_MS, HOUR_MS } from '@perennial/feature-engine';
import { type ProfileRef, requireIdentityRules } from '@perennial/identity';
import { must } from '@perennial/kernel';
import fc from 'fast-check';
import { foldEvent } from '../domain/fold.js';
import type { ProfileState } from '../domain/profile-state.js';
import { JoinWorld, NOON, SPECS, toDevice, toEvent, toUser } from './join-test-kit.js';

// fast-check prints nothing here, so the seed is part of the test's name; PROPERTY_SEED=... repeats that run.
const SEED = Number(process.env.PROPERTY_SEED ?? Date.now() % 2 ** 31);
const CASES = 200;
const spec = SPECS.initial;

const USERS = ['anna', 'bert', 'carl'].map(toUser);
const DEVICES = ['phone', 'laptop'].map(toDevice);
const IDS = [...USERS, ...DEVICES];
const RULES = requireIdentityRules(
  `version: 1
kinds:
  email: { strength: 200, read: [traits.email], hash: sha256 }
  phone: { strength: 60, read: [context.device.id] }
`,
  { fileName: 'identity.yaml' },
);
const toRef = (strength: number, id: string): ProfileRef => ({
  key: `other-${id}`,
  strength,
  subject: Buffer.from(`sealed ${id}`),
});
const OTHERS = [toRef(200, 'mail-1'), toRef(200, 'mail-2'), toRef(60, 'device-1')];

interface Reported {
  readonly self: ProfileRef;
  readonly names: {
    readonly claims?: ProfileRef;
    readonly alias?: ProfileRef;
    readonly ties?: readonly ProfileRef[];
  };
  readonly name: string;
  readonly lateMs: number;
  readonly afterMs: number;
  readonly amount: number | undefined;
  readonly isRepeated: boolean;
}

const drawUser = fc.constantFrom(...USERS);
const drawTies = fc.uniqueArray(fc.constantFrom(...OTHERS), { minLength: 1, maxLength: 2 });
const drawNames = fc.oneof(
  fc.record({ self: fc.constantFrom(...IDS), names: fc.constant({}) }),
  fc.record({ self: drawUser, names: fc.constantFrom(...DEVICES).map((claims) => ({ claims })) }),
  fc.record({ self: drawUser, names: drawUser.map((alias) => ({ alias })) }),
  fc.record({ self: fc.constantFrom(...IDS), names: drawTies.map((ties) => ({ ties })) }),
);
const drawReported: fc.Arbitrary<Reported> = fc
  .record({
    names: drawNames,
    name: fc.constantFrom('Order Completed', 'Order Refunded', 'Product Viewed'),
    lateMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 60 * DAY_MS })),
    // All within a day: so long is a message id remembered.
    afterMs: fc.integer({ min: 0, max: HOUR_MS / 2 }),
    amount: fc.option(fc.integer({ min: -100, max: 10_000 }), { nil: undefined }),
    isRepeated: fc.boolean(),
  })
  .map(({ names, ...reported }) => ({ ...reported, ...names }));
const drawCase = fc.record({
  reported: fc.array(drawReported, { minLength: 2, maxLength: 20 }),
  schedule: fc.infiniteStream(fc.nat()),
});

type Case = { readonly reported: readonly Reported[]; readonly schedule: Iterator<number> };

function toEvents(reported: readonly Reported[]) {
  let receivedAtMs = NOON;
  return reported.map(({ self, names, name, lateMs, afterMs, amount }, index) => {
    receivedAtMs += afterMs;
    const properties = { products: [{ product_id: `p${index % 5}` }] };
    const propertiesJson = Buffer.from(JSON.stringify(properties));
    const times = { receivedAtMs, timestampMs: receivedAtMs - lateMs };
    const event = toEvent(self, { ...names, messageId: `m${index}`, name, ...times, amount, propertiesJson });
    return { self, event, properties };
  });
}

/** The events come in their order, repeats at the end; the partitions step in any. */
function play({ reported, schedule }: Case): JoinWorld {
  const draw = (below: number) => (below <= 1 ? 0 : Number(schedule.next().value) % below);
  const world = new JoinWorld(draw, undefined, RULES);
  const events = toEvents(reported);
  for (const { self, event } of [...events, ...events.filter((_, index) => reported[index]?.isRepeated)]) {
    world.send(self.key, event);
    for (let steps = draw(5); steps > 0; steps--) world.step();
  }
  world.settle();
  return world;
}

/** The profile of a run in which all these events had carried one id. */
function foldAll(events: ReturnType<typeof toEvents>): ProfileState | undefined {
  let state: ProfileState | undefined;
  for (const { event, properties } of events) {
    const folded = foldEvent(state, { event, properties }, { spec, specs: SPECS, rates: INITIAL_RATES, logTimeMs: 0 });
    if (folded.kind === 'applied') state = folded.state;
  }
  return state;
}

function toVectors(state: ProfileState | undefined) {
  const engine = state?.engine ?? spec.empty;
  return [2, 9, 40, 120, 400].map((days) => spec.vector(engine, NOON + days * DAY_MS).values);
}

describe(`profiles that join, on several partitions, in ${CASES} cases from seed ${SEED}`, () => {
  const parameters = { seed: SEED, numRuns: CASES };

  it('equal, bit for bit, those of a run in which all events had carried the final id', async () => {
    await fc.assert(
      fc.asyncProperty(drawCase, async (drawn) => {
        const world = play(drawn);
        const byRoot = new Map<ProfileState | undefined, ReturnType<typeof toEvents>>();
        const roots = new Map<string, ProfileState | undefined>();
        for (const one of toEvents(drawn.reported)) {
          const found = await world.read(one.self.key);
          // Reads decode anew: the same profile is known by its time and newest event.
          const name = JSON.stringify([found?.engine.asOfMs, found?.lastEventAtMs, found?.subject]);
          const root = roots.get(name) ?? found;
          roots.set(name, root);
          byRoot.set(root, [...(byRoot.get(root) ?? []), one]);
        }
        for (const [root, events] of byRoot) {
          const expected = foldAll(events);
          expect(toVectors(root)).toEqual(toVectors(expected));
          expect(root?.lastEventAtMs).toBe(expected?.lastEventAtMs);
          expect(root?.engine.messages.ids.halves).toEqual(expected?.engine.messages.ids.halves);
        }
      }),
      parameters,
    );
  });

  it('announce each event once, whoever folds it, and never two changes without one at one time', () => {
    fc.assert(
      fc.property(drawCase, (drawn) => {
        const { updates } = play(drawn);
        const announced = updates.flatMap(({ update }) => (update.event === undefined ? [] : [update.event.messageId]));
        expect(announced.toSorted()).toEqual(drawn.reported.map((_, index) => `m${index}`).toSorted());
        const silent = updates.filter(({ update }) => update.event === undefined);
        const times = silent.map(({ key, update }) => `${key} ${update.asOfMs}`);
        expect(new Set(times).size).toBe(times.length);
      }),
      parameters,
    );
  });

  it('are the same in any order of arrival, where ids are of one user and no event is later than its windows', async () => {
    const anna = must(USERS[0], 'anna');
    const drawOne = fc.record({
      self: fc.constantFrom(anna, ...DEVICES),
      ties: fc.uniqueArray(fc.constantFrom(...DEVICES, ...OTHERS), { maxLength: 2 }),
      name: fc.constantFrom('Order Completed', 'Product Viewed'),
      afterMs: fc.integer({ min: 1, max: HOUR_MS / 12 }),
      amount: fc.option(fc.integer({ min: 0, max: 10_000 }), { nil: undefined }),
    });
    const drawOrders = fc.array(drawOne, { minLength: 2, maxLength: 10 }).chain((one) => {
      const indices = one.map((_, index) => index);
      const shuffled = fc.shuffledSubarray(indices, { minLength: indices.length });
      return fc.record({ one: fc.constant(one), order: shuffled, schedule: fc.infiniteStream(fc.nat()) });
    });
    await fc.assert(
      fc.asyncProperty(drawOrders, async ({ one, order, schedule }) => {
        const reported = one.map(({ ties, ...rest }) => {
          // A device names no device: that is how ingest has it.
          const named = ties.filter((tie) => rest.self === anna || !DEVICES.includes(tie));
          return { ...rest, names: { ties: named }, lateMs: 0, isRepeated: false };
        });
        const events = toEvents(reported);
        const read = async (indices: readonly number[]) => {
          const world = new JoinWorld(
            (below) => (below <= 1 ? 0 : Number(schedule.next().value) % below),
            undefined,
            RULES,
          );
          for (const index of indices) {
            const { self, event } = must(events[index], 'an event');
            world.send(self.key, event);
            for (let steps = index % 3; steps > 0; steps--) world.step();
          }
          world.settle();
          return Promise.all(IDS.map(async ({ key }) => toVectors(await world.read(key))));
        };
        expect(await read(order)).toEqual(await read(order.map((_, index) => index)));
      }),
      { ...parameters, numRuns: 60 },
    );
  });

  it('keep the id of the user, whatever came of a device', async () => {
    await fc.assert(
      fc.asyncProperty(drawCase, async (drawn) => {
        const world = play(drawn);
        for (const { key } of USERS) {
          const profile = await world.read(key);
          if (profile !== undefined) expect(USERS.map(({ subject }) => subject)).toContainEqual(profile.subject);
        }
      }),
      parameters,
    );
  });

  it('have the time of what they folded', () => {
    const world = new JoinWorld();
    world.send('user-anna', toEvent(must(USERS[0], 'anna')));
    world.settle();
    expect(world.updates.map(({ update }) => update.asOfMs)).toEqual([NOON]);
  });
});
