import { describe, expect, it } from '@jest/globals';
import { type ProfileRef, toParts } from '@perennial/identity';
import { NOON, SPECS, toDevice, toEvent, toUser } from '../identity/join-test-kit.js';
import { UnmergeWorld } from './unmerge-test-kit.js';

const anna = toUser('anna');
const phone = toDevice('phone');
const laptop = toDevice('laptop');
const email: ProfileRef = { key: 'email-anna', strength: 200, subject: Buffer.from('sealed e-mail') };

const RULES = `version: 1
kinds:
  email: { strength: 200, read: [traits.email] }
  anonymous: { maxProfiles: 8 }
`;

/** Joined by the kinds of `RULES`. */
function createWorld(): UnmergeWorld {
  const world = new UnmergeWorld();
  world.rollOut('identity', world.put(Buffer.from(RULES)));
  return world;
}

/** Orders of a profile, wherever it is now. */
async function countOrders(world: UnmergeWorld, { key }: ProfileRef) {
  const { state, key: root } = await world.read(key);
  const spec = SPECS.initial;
  const index = spec.names.indexOf('orders_count_all');
  return [root, spec.vector(state?.engine ?? spec.empty, NOON + 1).values[index]];
}

describe('an unmerge of a device that joined a user by their e-mail', () => {
  it('parts it for good: the e-mail joins it no more, whoever names it', async () => {
    const world = createWorld();
    let count = 0;
    const order = async (self: ProfileRef, ties: readonly ProfileRef[] = []) => {
      world.send(self.key, toEvent(self, { messageId: `m${count++}`, ties }));
      await world.settle();
    };
    await order(phone, [email]);
    await order(laptop, [email]);
    await order(anna, [email]);
    for (const id of [anna, phone, laptop]) expect(await countOrders(world, id)).toEqual([anna.key, 3]);

    world.change('unmerge', phone, anna);
    await world.settle();
    expect(world.ledger.entries.at(-1)).toMatchObject({ state: 'done' });
    expect(await countOrders(world, phone)).toEqual([phone.key, 1]);
    expect(await countOrders(world, laptop)).toEqual([anna.key, 2]);

    await order(phone, [email]);
    await order(anna, [phone, email]);
    expect(await countOrders(world, phone)).toEqual([phone.key, 2]);
    expect(await countOrders(world, anna)).toEqual([anna.key, 3]);
  });
});

describe('an unmerge by an e-mail', () => {
  const updatesOf = (world: UnmergeWorld, { key }: ProfileRef) => world.updates.filter((one) => one.key === key);

  async function toDevices() {
    const world = createWorld();
    for (const [index, self] of [phone, laptop].entries())
      world.send(self.key, toEvent(self, { messageId: `m${index}`, ties: [email] }));
    await world.settle();
    return world;
  }

  it('parts devices from an e-mail without a user, and a merge joins them again', async () => {
    const world = await toDevices();
    for (const id of [phone, laptop]) expect(await countOrders(world, id)).toEqual([email.key, 2]);
    world.change('unmerge', phone, email);
    await world.settle();
    expect(await countOrders(world, phone)).toEqual([phone.key, 1]);
    expect(await countOrders(world, laptop)).toEqual([email.key, 1]);
    expect((await world.read(email.key)).state?.subject).toEqual(laptop.subject);

    world.send(phone.key, toEvent(phone, { messageId: 'm2', ties: [email] }));
    await world.settle();
    expect(await countOrders(world, phone)).toEqual([phone.key, 2]);
    world.change('merge', phone, email);
    await world.settle();
    expect(await countOrders(world, phone)).toEqual([email.key, 3]);
  });

  it('parts the e-mail from its user with the devices that it had joined before', async () => {
    const world = await toDevices();
    world.send(anna.key, toEvent(anna, { messageId: 'm2', ties: [email] }));
    await world.settle();
    expect(await countOrders(world, phone)).toEqual([anna.key, 3]);
    world.change('unmerge', email, anna);
    await world.settle();
    expect(await countOrders(world, phone)).toEqual([email.key, 2]);
    expect(await countOrders(world, anna)).toEqual([anna.key, 1]);
    // Whoever of both sides names it, and a device that comes later.
    const tablet = toDevice('tablet');
    for (const [index, self] of [anna, phone, tablet].entries())
      world.send(self.key, toEvent(self, { messageId: `n${index}`, ties: [email] }));
    await world.settle();
    world.send(anna.key, toEvent(anna, { messageId: 'n3', ties: [tablet] }));
    await world.settle();
    expect(await countOrders(world, anna)).toEqual([anna.key, 3]);
    expect(await countOrders(world, tablet)).toEqual([email.key, 4]);
  });

  it('never makes the sealed address the one by which a profile is addressed', async () => {
    const world = createWorld();
    world.send(phone.key, toEvent(phone, { ties: [email] }));
    await world.settle();
    world.change('unmerge', phone, email);
    await world.settle();
    // Nothing is left, and that it is known.
    expect(updatesOf(world, email).at(-1)?.update).toMatchObject({ lastEventAtMs: 0, subject: Buffer.alloc(0) });
    world.send(laptop.key, toEvent(laptop, { messageId: 'm2', ties: [email] }));
    await world.settle();
    expect(updatesOf(world, email).at(-1)?.update.subject).toEqual(laptop.subject);
  });

  it('announces no side that had no events, before and after', async () => {
    const world = createWorld();
    const tag = { tag: 'vip', given: true, kind: 'manual', owner: 'olga', atMs: 1 };
    for (const self of [phone, anna]) world.sendRecord(self.key, { $case: 'tagChange', value: { self, ...tag } });
    world.change('merge', phone, anna);
    await world.settle();
    world.change('unmerge', phone, anna);
    await world.settle();
    expect(world.ledger.entries.at(-1)).toMatchObject({ state: 'done' });
    expect(world.updates).toEqual([]);
    world.send(phone.key, toEvent(phone));
    await world.settle();
    expect(updatesOf(world, phone).at(-1)?.update.tags?.names).toEqual(['vip']);
  });
});

describe('an unmerge of a device that several users have named', () => {
  it('does not forget how many: those before it, and each of those while it was under way', async () => {
    const world = createWorld();
    const namedBy = () => {
      const { node } = toParts(world.stored(phone.key));
      return node.kind === 'ledger' ? undefined : node.namedBy;
    };
    for (const [index, user] of [anna, toUser('bert'), toUser('carl')].entries()) {
      world.send(user.key, toEvent(user, { messageId: `m${index}`, ties: [phone] }));
      await world.settle();
    }
    world.send(phone.key, toEvent(phone, { messageId: 'm3' }));
    await world.settle();
    expect([await countOrders(world, phone), namedBy()]).toEqual([[anna.key, 2], 3]);

    world.change('unmerge', phone, anna);
    while (await world.step());
    const link = { self: phone, other: toDevice('tablet'), tie: true };
    world.sendRecord(phone.key, { $case: 'link', value: link });
    await world.settle();
    expect(world.ledger.entries.at(-1)).toMatchObject({ state: 'done' });
    expect([await countOrders(world, phone), namedBy()]).toEqual([[phone.key, 1], 4]);
  });
});
