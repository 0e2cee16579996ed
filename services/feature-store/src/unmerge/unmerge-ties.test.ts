import { describe, expect, it } from '@jest/globals';
import type { ProfileRef } from '@perennial/identity';
import { NOON, SPECS, toDevice, toEvent, toUser } from '../identity/join-test-kit.js';
import { UnmergeWorld } from './unmerge-test-kit.js';

const anna = toUser('anna');
const phone = toDevice('phone');
const laptop = toDevice('laptop');
const email: ProfileRef = { key: 'email-anna', strength: 200, subject: Buffer.from('sealed e-mail') };

/** Orders of a profile, wherever it is now. */
async function countOrders(world: UnmergeWorld, { key }: ProfileRef) {
  const { state, key: root } = await world.read(key);
  const spec = SPECS.initial;
  const index = spec.names.indexOf('orders_count_all');
  return [root, spec.vector(state?.engine ?? spec.empty, NOON + 1).values[index]];
}

describe('an unmerge of a device that joined a user by their e-mail', () => {
  it('parts it for good: the e-mail joins it no more, whoever names it', async () => {
    const world = new UnmergeWorld();
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
