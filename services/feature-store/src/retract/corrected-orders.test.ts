import { describe, expect, it } from '@jest/globals';
import { DAY_MS, ECOMMERCE_FEATURES } from '@perennial/feature-engine';
import { must } from '@perennial/kernel';
import { NOON, SPECS, toEvent, toUser } from '../identity/join-test-kit.js';
import { UnmergeWorld } from '../unmerge/unmerge-test-kit.js';

const anna = toUser('anna');
const CORRECTING = 'c'.repeat(64);
SPECS.add(CORRECTING, ECOMMERCE_FEATURES, { corrections: { keep: 4, cancelled: ['Order Cancelled'] } });

const order = (messageId: string, fields: { readonly name?: string; readonly version?: number } = {}) => {
  const { name = 'Order Completed', version } = fields;
  const properties = { order_id: 'o1', ...(version === undefined ? {} : { version }) };
  return toEvent(anna, { messageId, name, amount: 50, propertiesJson: Buffer.from(JSON.stringify(properties)) });
};

const retract = (world: UnmergeWorld, messageId: string) =>
  world.retractor().retract({ profile: anna, messageId, by: 'olga', reason: '', early: false });

async function ordersOf(world: UnmergeWorld) {
  const { engine } = must((await world.read(anna.key)).state, 'a profile');
  const spec = SPECS.get(engine.specHash);
  const values = spec.toMap(spec.vector(engine, engine.asOfMs).values);
  return [values.orders_count_all, values.orders_revenue_sum_all];
}

/** An order that was taken back, and so many others since that its state has forgotten that. */
async function toForgotten(correcting: ReturnType<typeof order>) {
  const world = new UnmergeWorld();
  world.rollOut('features', CORRECTING);
  world.send(anna.key, order('m1', { version: 1 }));
  world.send(anna.key, correcting);
  world.tick(NOON + 2 * DAY_MS);
  const asked = { by: 'olga', reason: '', askedAtMs: NOON, original: undefined, copy: false, currency: '' };
  for (let other = 0; other < 256; other += 1) {
    const value = { ...asked, self: anna, messageId: `other ${other}`, amountOnly: false };
    world.sendRecord(anna.key, { $case: 'retraction', value });
  }
  while (await world.step());
  const { engine } = must((await world.read(anna.key)).state, 'a profile');
  expect(SPECS.get(engine.specHash).isTakenBack(engine, 'm1')).toBe(false);
  return world;
}

describe('an order that another event has taken back, which its state has forgotten', () => {
  it.each([
    ['cancelled', order('m2', { name: 'Order Cancelled' }), [0, 0]],
    ['replaced', order('m2', { version: 2 }), [1, 50]],
  ])('%s, is not subtracted once more', async (_, correcting, left) => {
    const world = await toForgotten(correcting);
    expect(await ordersOf(world)).toEqual(left);
    expect((await retract(world, 'm1')).result).toBe('repeated');
    expect(await ordersOf(world)).toEqual(left);
    expect(await world.recompute()).toEqual(world.states);
  });
});
