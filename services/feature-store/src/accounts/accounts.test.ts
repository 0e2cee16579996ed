import { describe, expect, it } from '@jest/globals';
import { INITIAL_RATES } from '@perennial/commerce';
import { type AcceptedEvent, toAttributeValues } from '@perennial/contracts';
import { ECOMMERCE_FEATURES, HOUR_MS } from '@perennial/feature-engine';
import { must } from '@perennial/kernel';
import fc from 'fast-check';
import { ACCOUNT_MEMBERS_MAX } from '../domain/account.js';
import { foldEvent } from '../domain/fold.js';
import type { ProfileState } from '../domain/profile-state.js';
import { JoinWorld, NOON, SPECS, toDevice, toEvent, toUser } from '../identity/join-test-kit.js';

// fast-check prints nothing here, so the seed is part of the test's name; PROPERTY_SEED=... repeats that run.
const SEED = Number(process.env.PROPERTY_SEED ?? Date.now() % 2 ** 31);

const SPEC = SPECS.add('accounts', ECOMMERCE_FEATURES, {
  attributes: [
    { name: 'account.orders_count_7d', source: 'account_feature', of: 'orders_count_7d', kind: 'number' },
    { name: 'account.traits.seats', source: 'account_trait', of: 'seats', kind: 'number' },
  ],
});
const IN_FORCE = { kind: 'features', number: 2, hash: 'accounts' };
const [ANNA, BERT, CARL] = ['anna', 'bert', 'carl'].map(toUser) as [
  ReturnType<typeof toUser>,
  ReturnType<typeof toUser>,
  ReturnType<typeof toUser>,
];

function toGroup(id: string, fields: Partial<AcceptedEvent> & { readonly seats?: number } = {}) {
  const { seats, ...others } = fields;
  const account = seats === undefined ? [] : [{ name: 'seats', value: { $case: 'number' as const, value: seats } }];
  return { type: 'group', name: '', traits: { own: [], accountId: id, account }, ...others };
}

const toOrders = (state: ProfileState | undefined) =>
  state && SPEC.toMap(SPEC.vector(state.engine, state.engine.asOfMs).values).orders_count_7d;
const toLast = (world: JoinWorld, key: string) =>
  toAttributeValues(
    must(
      world.updates.findLast((one) => one.key === key),
      `an update of ${key}`,
    ).update.attributes,
  );

describe('accounts', () => {
  function createWorld() {
    const world = new JoinWorld(undefined, IN_FORCE);
    let number = 0;
    const send = (user: typeof ANNA, fields: Parameters<typeof toEvent>[1] = {}, atMs = NOON + number * 1_000) => {
      number += 1;
      world.send(
        user.key,
        toEvent(user, { messageId: `m${number}`, timestampMs: atMs, receivedAtMs: atMs, ...fields }),
      );
      world.settle();
    };
    return { world, send };
  }

  it('take back the copy of an event that is taken back, once, and stay accounts', async () => {
    const { world, send } = createWorld();
    send(ANNA, toGroup('acme'));
    send(ANNA);
    send(ANNA);
    const messageId = `${ANNA.key}/m2`;
    const original = { ...toEvent(ANNA, { messageId }), forwardedTo: undefined };
    const self = { key: 'account-acme', strength: 0, subject: Buffer.alloc(0) };
    const asked = { by: 'olga', reason: '', askedAtMs: 0, amountOnly: false, currency: '', copy: true };
    const before = world.updates.length;
    for (let time = 0; time < 2; time++) {
      world.sendRecord(self.key, { $case: 'retraction', value: { ...asked, self, messageId, original } });
      world.settle();
      expect(toOrders(await world.read(self.key))).toBe(1);
    }
    expect((await world.read(self.key))?.group?.members).toEqual([ANNA.key]);
    // Scoring knows no accounts.
    expect(world.updates.length).toBe(before);
  });

  it('count what their members do, under their own key, and report to them what the spec declares', async () => {
    const { world, send } = createWorld();
    send(ANNA);
    send(ANNA, toGroup('acme', { seats: 12 }));
    expect(toLast(world, ANNA.key)).toEqual([0, 12]);
    send(BERT, toGroup('acme'));
    send(BERT);
    send(ANNA);
    const account = await world.read('account-acme');
    // The order of anna before she joined is none of the account.
    expect(toOrders(account)).toBe(2);
    expect(account?.group?.members).toEqual([ANNA.key, BERT.key]);
    expect(world.updates.map(({ key }) => key)).not.toContain('account-acme');
    expect(toLast(world, ANNA.key)).toEqual([0, 12]);
    world.tick(NOON + HOUR_MS + 10_000);
    world.settle();
    for (const { key } of [ANNA, BERT]) expect(toLast(world, key)).toEqual([2, 12]);
    const before = world.written.length;
    world.tick(NOON + 2 * HOUR_MS);
    world.settle();
    expect(world.written.slice(before)).toEqual([]);
  });

  it('hear of a member that has left, and keep what it did; repeats count once', async () => {
    const { world, send } = createWorld();
    send(ANNA, toGroup('acme', { seats: 3 }));
    send(ANNA, { messageId: 'order' });
    send(ANNA, { messageId: 'order' });
    send(ANNA, toGroup('globex'));
    expect(toLast(world, ANNA.key)).toEqual([0, null]);
    send(ANNA);
    const [acme, globex] = [await world.read('account-acme'), await world.read('account-globex')];
    expect([acme?.group?.members, globex?.group?.members]).toEqual([[], [ANNA.key]]);
    expect([toOrders(acme), toOrders(globex)]).toEqual([1, 1]);
  });

  it('count members with the same message ids each, and windows pass for members who do nothing', async () => {
    const { world, send } = createWorld();
    for (const user of [ANNA, BERT]) send(user, toGroup('acme', { messageId: 'same' }));
    for (const user of [ANNA, BERT]) send(user, { messageId: 'order' });
    expect(toOrders(await world.read('account-acme'))).toBe(2);
    world.tick(NOON + HOUR_MS + 10_000);
    world.settle();
    expect(toLast(world, BERT.key)).toEqual([2, null]);
    for (let hour = 2; hour < 24 * 9; hour++) {
      world.tick(NOON + hour * HOUR_MS);
      world.settle();
    }
    expect(toLast(world, BERT.key)).toEqual([0, null]);
  });

  it('cut members off that are too many, whose events count all the same', async () => {
    const { world, send } = createWorld();
    for (let index = 0; index <= ACCOUNT_MEMBERS_MAX; index++) send(toUser(`u${index}`), toGroup('acme'));
    send(toUser(`u${ACCOUNT_MEMBERS_MAX}`));
    const account = await world.read('account-acme');
    expect(account?.group?.members).toHaveLength(ACCOUNT_MEMBERS_MAX);
    expect(account?.group?.cutOff).toBe(2);
    expect(toOrders(account)).toBe(1);
  });

  it('give up the place of a device that joins a user, and of a user who is in another account by that', async () => {
    const { world, send } = createWorld();
    const phone = toDevice('phone');
    send(ANNA, toGroup('globex'));
    send(phone, toGroup('acme'));
    send(ANNA, { claims: phone });
    const members = async (id: string) => (await world.read(`account-${id}`))?.group?.members;
    // The newest group of both is acme.
    expect(await members('globex')).toEqual([]);
    expect(await members('acme')).toEqual([]);
    send(ANNA);
    expect(await members('acme')).toEqual([ANNA.key]);
  });

  it('cost nothing under a spec that declares nothing of them', () => {
    const world = new JoinWorld();
    world.send(ANNA.key, toEvent(ANNA, toGroup('acme')));
    world.settle();
    expect(world.written).toEqual([]);
    expect([...world.states.keys()]).toEqual([ANNA.key]);
  });

  it(`equal a naive recount of the events of their members, whatever partitions do first (seed ${SEED})`, async () => {
    const phone = toDevice('phone');
    const drawn = fc.record({
      drawn: fc.array(
        fc.record({
          user: fc.constantFrom(ANNA, BERT, CARL),
          group: fc.option(fc.constantFrom('acme', 'globex'), { nil: undefined }),
          lateMs: fc.integer({ min: 0, max: 40 * 24 * HOUR_MS }),
          isRepeat: fc.boolean(),
          claims: fc.option(fc.constant(phone), { nil: undefined, freq: 8 }),
        }),
        { minLength: 1, maxLength: 30 },
      ),
      schedule: fc.infiniteStream(fc.nat()),
    });
    await fc.assert(
      fc.asyncProperty(drawn, async ({ drawn: reported, schedule }) => {
        const draw = (below: number) => (below <= 1 ? 0 : Number(schedule.next().value) % below);
        const world = new JoinWorld(draw, IN_FORCE);
        const events = reported.map(({ user, group, lateMs, claims }, index) => {
          const receivedAtMs = NOON + index * 60_000;
          const times = { messageId: `m${index}`, receivedAtMs, timestampMs: receivedAtMs - lateMs };
          const ids = claims === undefined ? {} : { claims };
          return { user, event: toEvent(user, { ...(group === undefined ? {} : toGroup(group)), ...times, ...ids }) };
        });
        for (const { user, event } of [...events, ...events.filter((_, index) => reported[index]?.isRepeat)]) {
          world.send(user.key, event);
          for (let steps = draw(4); steps > 0; steps--) world.step();
        }
        world.settle();
        for (const id of ['acme', 'globex']) {
          const found = await world.read(`account-${id}`);
          const expected = recount(events, id);
          expect(found === undefined).toBe(expected === undefined);
          for (const days of [1, 8, 40, 400]) {
            const atMs = NOON + days * 24 * HOUR_MS;
            expect(SPEC.vector(found?.engine ?? SPEC.empty, atMs).values).toEqual(
              SPEC.vector(expected?.engine ?? SPEC.empty, atMs).values,
            );
          }
        }
      }),
      { seed: SEED, numRuns: 150 },
    );
  });
});

/** Each event counts for the account that its user had said last, by the time of the events, when it came. */
function recount(events: ReadonlyArray<{ user: typeof ANNA; event: AcceptedEvent }>, id: string) {
  const newest = new Map<string, { readonly id: string; readonly atMs: number }>();
  let state: ProfileState | undefined;
  const context = { spec: SPEC, specs: SPECS, rates: INITIAL_RATES, logTimeMs: 0 };
  for (const { user, event } of events) {
    const { accountId } = event.traits ?? { accountId: '' };
    const before = newest.get(user.key);
    const isNewer =
      before === undefined ||
      event.timestampMs > before.atMs ||
      (event.timestampMs === before.atMs && accountId > before.id);
    if (accountId !== '' && isNewer) newest.set(user.key, { id: accountId, atMs: event.timestampMs });
    if (newest.get(user.key)?.id !== id) continue;
    const counted = { ...event, messageId: `${user.key} ${event.messageId}` };
    const folded = foldEvent(state, { event: counted, properties: {} }, context);
    if (folded.kind === 'applied') state = folded.state;
  }
  return state;
}
