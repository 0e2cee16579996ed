import { describe, expect, it } from '@jest/globals';
import { AcceptedRecord, type ProfileRef } from '@perennial/contracts';
import { DAY_MS } from '@perennial/feature-engine';
import { must } from '@perennial/kernel';
import { NOON, SPECS, toDevice, toEvent, toUser } from '../identity/join-test-kit.js';
import { UnmergeWorld } from '../unmerge/unmerge-test-kit.js';

const anna = toUser('anna');
const bert = toUser('bert');
const phone = toDevice('phone');
const MINUTE_MS = 60_000;

/** An order of so many dollars, so many minutes after noon. */
const order = (self: ProfileRef, messageId: string, amount: number, minute = 0) =>
  toEvent(self, {
    messageId,
    amount,
    timestampMs: NOON + minute * MINUTE_MS,
    receivedAtMs: NOON + minute * MINUTE_MS,
    propertiesJson: Buffer.from(JSON.stringify({ order_id: `order ${messageId}` })),
  });

/** The record that an event that has not come is not to count. */
const toEarly = (self: ProfileRef, messageId: string) => ({
  $case: 'retraction' as const,
  value: {
    self,
    messageId,
    original: undefined,
    amountOnly: false,
    currency: '',
    copy: false,
    by: 'olga',
    reason: '',
    askedAtMs: NOON,
  },
});

async function settle(world: UnmergeWorld): Promise<void> {
  while (await world.step());
}

const retract = (world: UnmergeWorld, profile: ProfileRef, messageId: string, early = false) =>
  world.retractor().retract({ profile, messageId, by: 'olga', reason: 'a test', early });

/** Orders, revenue and the least order of a profile, wherever it is now. */
async function ordersOf(world: UnmergeWorld, { key }: ProfileRef) {
  const { state } = await world.read(key);
  if (state === undefined) return undefined;
  const spec = SPECS.initial;
  const values = spec.toMap(spec.vector(state.engine, state.engine.asOfMs).values);
  return [values.orders_count_all, values.orders_revenue_sum_all, values.events_count_all];
}

/** What a rebuild from the logs gives is what is stored. */
async function expectRecomputed(world: UnmergeWorld): Promise<void> {
  expect(await world.recompute()).toEqual(world.states);
}

describe('a message id that two profiles have, which were one for a while', () => {
  it.each([
    [anna, bert],
    [bert, anna],
  ])('is that of the profile that is asked for', async (mine, other) => {
    const world = new UnmergeWorld();
    world.send(mine.key, order(mine, 'm1', 50));
    world.send(other.key, order(other, 'm1', 7));
    await settle(world);
    world.change('merge', anna, bert);
    await world.settle();
    world.send(mine.key, order(mine, 'm2', 5, 1));
    world.change('unmerge', anna, bert);
    await world.settle();
    expect(await ordersOf(world, mine)).toEqual([2, 55, 2]);
    expect(await ordersOf(world, other)).toEqual([1, 7, 1]);
    expect((await retract(world, other, 'm1')).result).toBe('taken_back');
    expect(await ordersOf(world, other)).toEqual([0, 0, 0]);
    expect(await ordersOf(world, mine)).toEqual([2, 55, 2]);
    expect((await retract(world, mine, 'm1')).result).toBe('taken_back');
    expect(await ordersOf(world, mine)).toEqual([1, 5, 1]);
    expect((await retract(world, mine, 'm1')).result).toBe('repeated');
    await expect(retract(world, other, 'm2')).rejects.toMatchObject({ code: 'not_found' });
    await expectRecomputed(world);
  });

  it('is found with its own currency where the other one came first, as a copy', async () => {
    const world = new UnmergeWorld();
    world.send(anna.key, toEvent(anna, { messageId: 'm0', name: 'Product Viewed', alias: bert }));
    await settle(world);
    world.send(bert.key, toEvent(bert, { ...order(bert, 'm1', 7), currency: 'EUR' }));
    await settle(world);
    world.change('unmerge', anna, bert);
    await world.settle();
    // A day later the id is not remembered, and the profiles are two.
    world.send(anna.key, { ...order(anna, 'm1', 50), currency: 'USD' });
    await settle(world);
    expect((await retract(world, anna, 'm1')).result).toBe('taken_back');
    const records = world.partitions.flatMap(({ log }) =>
      log.map(({ value }) => AcceptedRecord.decode(must(value, 'a value'))),
    );
    const found = records.flatMap(({ record }) => (record?.$case === 'retraction' ? [record.value] : []));
    expect(found).toMatchObject([{ self: anna, original: { currency: 'USD' }, currency: 'USD' }]);
    expect(await ordersOf(world, anna)).toEqual([0, 0, 1]);
  });
});

describe('a message id that two ids of one person sent', () => {
  it.each([
    ['the device first', phone, anna],
    ['the user first', anna, phone],
  ])('is that of the event that counts, whoever is asked for: %s', async (_, first, second) => {
    for (const asked of [first, second]) {
      const world = new UnmergeWorld();
      world.send(anna.key, toEvent(anna, { messageId: 'm0', name: 'Product Viewed', claims: phone }));
      await settle(world);
      world.send(first.key, order(first, 'm1', 50, 1));
      await settle(world);
      world.send(second.key, order(second, 'm1', 50, 2));
      await settle(world);
      expect(await ordersOf(world, anna)).toEqual([1, 50, 2]);
      expect((await retract(world, asked, 'm1')).result).toBe('taken_back');
      expect(await ordersOf(world, anna)).toEqual([0, 0, 1]);
      expect((await retract(world, asked, 'm1')).result).toBe('repeated');
      await expectRecomputed(world);
    }
  });
});

describe('an event that somebody takes back by its id', () => {
  it('counts no longer, once, however often that is asked', async () => {
    const world = new UnmergeWorld();
    world.send(anna.key, order(anna, 'm1', 50));
    world.send(anna.key, order(anna, 'm2', 5, 1));
    world.send(anna.key, order(anna, 'm3', 7, 2));
    await settle(world);
    const answer = await retract(world, anna, 'm2');
    expect(answer).toMatchObject({ result: 'taken_back', profileKey: anna.key, messageId: 'm2' });
    expect(answer.event).toEqual({ type: 'track', name: 'Order Completed', at: '2024-05-15T12:01:00.000Z' });
    expect(await ordersOf(world, anna)).toEqual([2, 57, 2]);
    expect((await retract(world, anna, 'm2')).result).toBe('repeated');
    world.send(anna.key, order(anna, 'm2', 5, 1));
    await settle(world);
    expect(await ordersOf(world, anna)).toEqual([2, 57, 2]);
    await expectRecomputed(world);
  });

  it('counts no longer when the profile has forgotten that, after many others', async () => {
    const world = new UnmergeWorld();
    world.send(anna.key, order(anna, 'm1', 50));
    world.send(anna.key, order(anna, 'm2', 5, 1));
    await settle(world);
    expect((await retract(world, anna, 'm1')).result).toBe('taken_back');
    expect((await retract(world, anna, 'm9', true)).result).toBe('early');
    world.tick(NOON + 2 * DAY_MS);
    for (let other = 0; other < 256; other += 1) world.sendRecord(anna.key, toEarly(anna, `other ${other}`));
    await settle(world);
    const { engine } = must((await world.read(anna.key)).state, 'a profile');
    expect(['m1', 'm9'].map((id) => SPECS.initial.isTakenBack(engine, id))).toEqual([false, false]);
    expect((await retract(world, anna, 'm1')).result).toBe('repeated');
    expect(await ordersOf(world, anna)).toEqual([1, 5, 1]);
    // What the log says of one that has not come holds no longer: it is said again.
    expect((await retract(world, anna, 'm9', true)).result).toBe('early');
    // One that counted again is taken back again.
    world.send(anna.key, order(anna, 'm1', 50));
    await settle(world);
    expect(await ordersOf(world, anna)).toEqual([2, 55, 2]);
    expect((await retract(world, anna, 'm1')).result).toBe('taken_back');
    expect(await ordersOf(world, anna)).toEqual([1, 5, 1]);
    await expectRecomputed(world);
  });

  it('waits for others only up to a number of them, and not for a process that stops', async () => {
    const world = new UnmergeWorld();
    world.send(anna.key, order(anna, 'm1', 50));
    await settle(world);
    const retractor = world.retractor();
    const request = { profile: anna, messageId: 'm1', by: 'olga', reason: '', early: false };
    const ask = (count: number) =>
      Promise.allSettled(Array.from({ length: count }, async () => (await retractor.retract(request)).result));
    const answers = await ask(20);
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(16);
    const rejected = { status: 'rejected', reason: { code: 'resource_exhausted', retriable: true } };
    expect(answers.slice(16)).toMatchObject(Array.from({ length: 4 }, () => rejected));
    const stopped = ask(2);
    retractor.stop();
    const failed = { status: 'rejected', reason: { code: 'dependency_unavailable', retriable: true } };
    expect(await stopped).toMatchObject([failed, failed]);
    expect(await ordersOf(world, anna)).toEqual([0, 0, 0]);
  });

  it('names the features that still have it, in the answer and until their windows have passed', async () => {
    const world = new UnmergeWorld();
    world.send(anna.key, order(anna, 'm1', 50));
    await settle(world);
    const { inexact } = await retract(world, anna, 'm1');
    expect(inexact).toEqual(expect.arrayContaining(['orders_recency_days', 'orders_tenure_days']));
    expect(inexact).not.toContain('orders_count_all');
    expect(await ordersOf(world, anna)).toEqual([0, 0, 0]);
    // Nothing is wrong where others stand on both sides of it.
    expect(await world.metrics.registry.metrics()).toMatch(/features_retractions_total\{.*result="taken_back".*\} 1/);
  });

  it('is not found by an id that nobody knows, or that of another profile', async () => {
    const world = new UnmergeWorld();
    world.send(anna.key, order(anna, 'm1', 50));
    world.send(bert.key, order(bert, 'm2', 5));
    await settle(world);
    for (const messageId of ['m2', 'm9']) {
      await expect(retract(world, anna, messageId)).rejects.toMatchObject({ code: 'not_found' });
    }
    expect([await ordersOf(world, anna), await ordersOf(world, bert)]).toEqual([
      [1, 50, 1],
      [1, 5, 1],
    ]);
  });

  it('does not count when it comes after it was taken back', async () => {
    const world = new UnmergeWorld();
    world.tick(NOON);
    world.send(anna.key, order(anna, 'm1', 50));
    await settle(world);
    expect(await retract(world, anna, 'm2', true)).toMatchObject({ result: 'early', event: null });
    expect((await retract(world, anna, 'm2', true)).result).toBe('repeated');
    world.send(anna.key, order(anna, 'm2', 5, 1));
    // A profile that nobody has seen.
    expect((await retract(world, bert, 'm1', true)).result).toBe('early');
    world.send(bert.key, order(bert, 'm1', 1, 1));
    await settle(world);
    expect([await ordersOf(world, anna), await ordersOf(world, bert)]).toEqual([
      [1, 50, 1],
      [0, 0, 0],
    ]);
    expect((await retract(world, anna, 'm2')).result).toBe('repeated');
    await expectRecomputed(world);
  });

  it('that comes while somebody asks for it is taken back by asking again', async () => {
    const world = new UnmergeWorld();
    const retractor = world.retractor(() => world.send(anna.key, order(anna, 'm1', 50)));
    const request = { profile: anna, messageId: 'm1', by: 'olga', reason: '', early: true };
    await expect(retractor.retract(request)).rejects.toMatchObject({ code: 'dependency_unavailable', retriable: true });
    expect(await ordersOf(world, anna)).toEqual([1, 50, 1]);
    expect((await retract(world, anna, 'm1', true)).result).toBe('taken_back');
    expect(await ordersOf(world, anna)).toEqual([0, 0, 0]);
    await expectRecomputed(world);
  });

  it('that is a repeat had added nothing', async () => {
    const world = new UnmergeWorld();
    world.send(anna.key, order(anna, 'm1', 50));
    world.send(anna.key, { ...order(anna, 'm2', 50, 1), propertiesJson: order(anna, 'm1', 50).propertiesJson });
    await settle(world);
    expect((await retract(world, anna, 'm2')).result).toBe('not_counted');
    expect(await ordersOf(world, anna)).toEqual([1, 50, 1]);
  });

  it('that only brought the amount of an order leaves the order', async () => {
    const world = new UnmergeWorld();
    const { amount: _, ...bare } = order(anna, 'm1', 50);
    world.send(anna.key, bare as ReturnType<typeof order>);
    world.send(anna.key, { ...order(anna, 'm2', 50, 1), propertiesJson: bare.propertiesJson });
    await settle(world);
    expect(await ordersOf(world, anna)).toEqual([1, 50, 1]);
    expect((await retract(world, anna, 'm2')).result).toBe('taken_back');
    expect(await ordersOf(world, anna)).toEqual([1, 0, 1]);
  });

  it('is taken back where it counts now: of a device before and after it joined', async () => {
    const world = new UnmergeWorld();
    world.send(phone.key, order(phone, 'm1', 50));
    await settle(world);
    world.send(anna.key, { ...order(anna, 'm2', 5, 1), namedIds: [{ profile: phone, alias: false }] });
    await settle(world);
    world.send(phone.key, order(phone, 'm3', 1, 2));
    await settle(world);
    expect(await ordersOf(world, anna)).toEqual([3, 56, 3]);
    for (const [messageId, left] of [
      ['m1', [2, 6, 2]],
      ['m3', [1, 5, 1]],
    ] as const) {
      expect((await retract(world, anna, messageId)).result).toBe('taken_back');
      expect(await ordersOf(world, anna)).toEqual(left);
      // By the id of the device it is the same profile.
      expect((await retract(world, phone, messageId)).result).toBe('repeated');
    }
    await expectRecomputed(world);
  });

  it('stays taken back when the profiles part, and goes with the one whose it is', async () => {
    const world = new UnmergeWorld();
    world.send(anna.key, order(anna, 'm1', 50));
    world.send(bert.key, order(bert, 'm2', 5, 1));
    await settle(world);
    world.change('merge', anna, bert);
    await world.settle();
    const [weaker, stronger] = (await world.read(anna.key)).key === anna.key ? [bert, anna] : [anna, bert];
    world.send(weaker.key, order(weaker, 'm3', 7, 2));
    world.send(weaker.key, order(weaker, 'm4', 9, 3));
    world.send(weaker.key, order(weaker, 'm5', 3, 4));
    await settle(world);
    expect(await ordersOf(world, anna)).toEqual([5, 74, 5]);
    expect((await retract(world, anna, 'm3')).result).toBe('taken_back');
    expect(await ordersOf(world, bert)).toEqual([4, 67, 4]);
    world.change('unmerge', anna, bert);
    await settle(world);
    // While they part, at the key that leaves.
    expect((await retract(world, anna, 'm4')).result).toBe('taken_back');
    await world.settle();
    expect(await ordersOf(world, weaker)).toEqual(weaker === anna ? [2, 53, 2] : [2, 8, 2]);
    expect(await ordersOf(world, stronger)).toEqual(stronger === anna ? [1, 50, 1] : [1, 5, 1]);
    await expect(retract(world, stronger, 'm4')).rejects.toMatchObject({ code: 'not_found' });
    expect((await retract(world, weaker, 'm4')).result).toBe('repeated');
    // It counted at the other one when it came, and has come back with its own.
    expect((await retract(world, weaker, 'm5')).result).toBe('taken_back');
    expect(await ordersOf(world, weaker)).toEqual(weaker === anna ? [1, 50, 1] : [1, 5, 1]);
    await expectRecomputed(world);
  });

  it('is one record that says who asked and why, and a copy for each profile on its way', async () => {
    const world = new UnmergeWorld();
    world.send(anna.key, order(anna, 'm1', 50));
    await settle(world);
    await retract(world, anna, 'm1');
    const log = must(
      world.partitions.find(({ log: records }) => records.length > 1),
      'the partition of anna',
    ).log;
    const { decodeRetraction } = await import('./retraction-record.js');
    expect(decodeRetraction(must(log[1], 'a record'))).toMatchObject({
      key: anna.key,
      input: {
        retraction: {
          messageId: 'm1',
          by: 'olga',
          reason: 'a test',
          copy: false,
          amountOnly: false,
          rate: 1,
          currency: 'USD',
        },
      },
    });
  });
});
