import { describe, expect, it } from '@jest/globals';
import { AcceptedRecord, type HandOver } from '@perennial/contracts';
import { describeStateFormat } from '@perennial/contracts/contract-suite';
import { MEMBERS_MAX, toParts } from '@perennial/identity';
import { must } from '@perennial/kernel';
import fc from 'fast-check';
import type { ProfileState } from '../domain/profile-state.js';
import { JoinWorld, NOON, SPECS, toDevice, toEvent, toUser } from './join-test-kit.js';
import type { StoredProfile } from './stored-profile.js';

const anna = toUser('anna');
const bert = toUser('bert');
const phone = toDevice('phone');
const spec = SPECS.initial;

function countOrders(state: ProfileState | undefined): number | null | undefined {
  return state && spec.toMap(spec.vector(state.engine, state.engine.asOfMs).values).orders_count_all;
}

describe('a visitor who becomes a customer', () => {
  it('brings what he did before, and after; both ids give one profile', async () => {
    const world = new JoinWorld();
    world.send(phone.key, toEvent(phone, { messageId: 'm1', timeZone: 'Asia/Tokyo' }));
    world.settle();
    world.send(anna.key, toEvent(anna, { messageId: 'm2', type: 'identify', name: '', claims: phone }));
    world.settle();
    world.send(phone.key, toEvent(phone, { messageId: 'm3', timestampMs: NOON + 1, receivedAtMs: NOON + 1 }));
    world.settle();
    const profile = await world.read(anna.key);
    expect(countOrders(profile)).toBe(2);
    expect(profile).toMatchObject({ subject: anna.subject, timeZone: 'Asia/Tokyo', lastEventAtMs: NOON + 1 });
    expect(await world.read(phone.key)).toEqual(profile);
    expect(world.written).toEqual(['join', 'handOver', 'event']);
    expect(world.joined).toEqual([`${phone.key} joined ${anna.key}`]);
    expect(world.updates.map(({ key, update }) => [key, update.event?.messageId])).toEqual([
      [phone.key, 'm1'],
      [anna.key, 'm2'],
      [anna.key, undefined],
      [anna.key, 'm3'],
    ]);
  });

  it('counts each message once, also one that is sent again after the join', async () => {
    const world = new JoinWorld();
    const before = toEvent(phone, { messageId: 'm1' });
    world.send(phone.key, before);
    world.send(anna.key, toEvent(anna, { messageId: 'm2', claims: phone }));
    world.settle();
    world.send(phone.key, before);
    world.settle();
    expect(countOrders(await world.read(anna.key))).toBe(2);
  });

  it('is said downstream of a device that has only allowed or forbidden something, which action knows', async () => {
    const world = new JoinWorld();
    const permissions = [{ channel: 'email', topic: '', state: 'withdrawn' }];
    const notice = {
      notice: { $case: 'consent' as const, value: { purposes: [], permissions, source: 'banner', textVersion: '' } },
    };
    world.send(phone.key, toEvent(phone, { messageId: 'c1', type: 'consent', name: '', notice }));
    world.send(anna.key, toEvent(anna, { messageId: 'm2', claims: phone }));
    world.settle();
    expect(world.joined).toEqual([`${phone.key} joined ${anna.key}`]);
  });

  it('costs one record when the device did nothing before', () => {
    const world = new JoinWorld();
    world.send(anna.key, toEvent(anna, { claims: phone }));
    world.settle();
    expect(world.written).toEqual(['join']);
    expect(world.joined).toEqual([]);
  });

  it('is reported', async () => {
    const world = new JoinWorld();
    world.send(phone.key, toEvent(phone));
    world.send(anna.key, toEvent(anna, { messageId: 'm2', claims: phone }));
    world.settle();
    world.send(phone.key, toEvent(phone, { messageId: 'm3' }));
    world.send(bert.key, toEvent(bert, { claims: phone }));
    world.settle();
    const text = await world.metrics.registry.metrics();
    expect(text).toMatch(/identity_joins_total\{.*\} 1\n/);
    expect(text).toMatch(/identity_forwarded_total\{.*kind="event".*\} 1\n/);
    expect(text).toMatch(/identity_asked_total\{.*result="elsewhere".*\} 1\n/);
  });
});

describe('an alias that names the device', () => {
  // Ingest cannot know whether `previousId` was a user or a device, so it names both. The smaller key is the root.
  const nobody = { ...toUser('a-browser'), key: 'user-0' };

  it('leaves the user as the one who is addressed, though the root is an id that nobody uses', async () => {
    const world = new JoinWorld();
    world.send(phone.key, toEvent(phone, { messageId: 'm1' }));
    world.send(anna.key, toEvent(anna, { messageId: 'm2', type: 'alias', name: '', claims: phone, alias: nobody }));
    world.settle();
    world.send(phone.key, toEvent(phone, { messageId: 'm3', timestampMs: NOON + 1, receivedAtMs: NOON + 1 }));
    world.send(anna.key, toEvent(anna, { messageId: 'm4', timestampMs: NOON + 2, receivedAtMs: NOON + 2 }));
    world.settle();
    const profile = await world.read(anna.key);
    expect(profile).toEqual(await world.read(nobody.key));
    expect(countOrders(profile)).toBe(3);
    expect(profile?.subject).toEqual(anna.subject);
    expect(world.updates.at(-1)).toMatchObject({ key: nobody.key, update: { subject: anna.subject } });
  });

  it('addresses the root once it has an event of its own', async () => {
    const world = new JoinWorld();
    world.send(anna.key, toEvent(anna, { messageId: 'm1', type: 'alias', name: '', alias: nobody }));
    world.settle();
    world.send(nobody.key, toEvent(nobody, { messageId: 'm2', timestampMs: NOON + 1, receivedAtMs: NOON + 1 }));
    world.send(anna.key, toEvent(anna, { messageId: 'm3', timestampMs: NOON + 2, receivedAtMs: NOON + 2 }));
    world.settle();
    expect((await world.read(anna.key))?.subject).toEqual(nobody.subject);
  });
});

describe('two users on one device', () => {
  it('stay two: the first gets what the device did without a user', async () => {
    const world = new JoinWorld();
    world.send(phone.key, toEvent(phone, { messageId: 'm1' }));
    world.send(anna.key, toEvent(anna, { messageId: 'm2', claims: phone }));
    world.settle();
    world.send(bert.key, toEvent(bert, { messageId: 'm3', claims: phone }));
    world.settle();
    expect([countOrders(await world.read(anna.key)), countOrders(await world.read(bert.key))]).toEqual([2, 1]);
  });
});

describe('a user id that many devices share', () => {
  it('takes in a number of them, reports the others, and its state does not grow', async () => {
    const world = new JoinWorld();
    const devices = Array.from({ length: MEMBERS_MAX + 200 }, (_, index) => toDevice(`d${index}`));
    let atLimit = 0;
    for (const [index, device] of devices.entries()) {
      world.send(device.key, toEvent(device));
      world.send(anna.key, toEvent(anna, { messageId: `m${index}`, type: 'identify', name: '', claims: device }));
      world.settle();
      if (index === MEMBERS_MAX) atLimit = sizeOf(world, anna.key);
    }
    expect(countOrders(await world.read(anna.key))).toBe(MEMBERS_MAX);
    // Message ids alone: 12 bytes each.
    expect(sizeOf(world, anna.key) - atLimit).toBeLessThan(200 * 12);
    expect(await world.metrics.registry.metrics()).toMatch(/identity_cut_off_total\{.*\} 200\n/);
    expect(world.written).toHaveLength(2 * MEMBERS_MAX);
  });
});

function sizeOf(world: JoinWorld, key: string): number {
  return must(world.states.get(key), 'a state').length;
}

describe('records about joins', () => {
  const world = new JoinWorld();
  const decode = (key: string, record: AcceptedRecord['record']) =>
    world.definition.decode({
      key: Buffer.from(key),
      value: Buffer.from(AcceptedRecord.encode({ record }).finish()),
    } as never);

  it.each<[string, AcceptedRecord['record']]>([
    ['a link', { $case: 'link', value: { self: anna, other: bert } }],
    ['a join', { $case: 'join', value: { self: anna, target: bert, alias: true } }],
    ['a hand-over', { $case: 'handOver', value: { self: anna, from: phone.key, members: [], state: Buffer.alloc(0) } }],
    ['none that names its profile', { $case: 'link', value: { self: undefined, other: bert } }],
  ])('are invalid under another key: %s', (_, record) => {
    expect(() => decode(bert.key, record)).toThrow('under the key of another profile');
  });

  it('give a dead letter where the state that is handed over cannot be read, after everything known was read', async () => {
    let refreshes = 0;
    const { definition } = world;
    const handOver: HandOver = { self: anna, from: phone.key, members: [], state: Buffer.from([99]) };
    const decoded = decode(anna.key, { $case: 'handOver', value: handOver });
    if (decoded.kind !== 'record') throw new Error('no record of a profile');
    const context = { key: anna.key, partition: 0, offset: 0, ordinal: 0, logTimeMs: 0, inForce: new Map() };
    const item = { state: undefined, cause: { kind: 'record' as const, input: decoded.input }, context };
    world.onRefresh = () => void refreshes++;
    const [evidence] = await must(definition.prepare, 'it prepares')([item]);
    expect(refreshes).toBe(1);
    expect(() => definition.step(item, must(evidence, 'evidence'))).toThrow('version 99');
  });
});

const drawRef = fc.constantFrom(anna, bert, phone);
const drawMember = fc.record({ key: fc.string(), isJoined: fc.boolean(), atMs: fc.nat() });
const drawProfile = fc.nat({ max: 5 }).map((orders) => {
  const world = new JoinWorld();
  for (let index = 0; index <= orders; index++) world.send(anna.key, toEvent(anna, { messageId: `m${index}` }));
  world.settle();
  return must(toParts(world.definition.codec.decode(must(world.states.get(anna.key), 'a state'))).profile, 'a profile');
});
const drawStored: fc.Arbitrary<StoredProfile> = fc.oneof(
  drawProfile,
  fc.record({
    node: fc.record({ kind: fc.constant('forwarder' as const), to: drawRef, sinceMs: fc.nat() }),
    profile: fc.constant(undefined),
  }),
  fc.record({
    node: fc.record({
      kind: fc.constant('root' as const),
      members: fc.array(drawMember, { minLength: 1, maxLength: 5 }),
      cutOff: fc.nat(),
    }),
    profile: fc.option(drawProfile, { nil: undefined }),
  }),
);

describeStateFormat({ name: 'stored profile', format: new JoinWorld().definition.codec, state: drawStored });
