import { describe, expect, it } from '@jest/globals';
import { DAY_MS, ECOMMERCE_FEATURES } from '@perennial/feature-engine';
import { must } from '@perennial/kernel';
import { NOON, SPECS, toDevice, toEvent, toUser } from '../identity/join-test-kit.js';
import { UnmergeWorld } from './unmerge-test-kit.js';

const anna = toUser('anna');
const bert = toUser('bert');
const watch = toDevice('watch');
const WIDE = 'e'.repeat(64);
const wide = SPECS.add(
  WIDE,
  [
    ...ECOMMERCE_FEATURES,
    {
      name: 'views_90d',
      unit: 'views',
      event: { type: 'track', name: 'Product Viewed' },
      aggregation: 'count',
      windowMs: 90 * DAY_MS,
    },
  ],
  { attributes: [{ name: 'account.traits.seats', source: 'account_trait', of: 'seats', kind: 'number' }] },
);

/** Bert has joined anna, the watch has an event from before the spec was filled, and the unmerge of both users has begun. */
async function toBegun(): Promise<UnmergeWorld> {
  const world = new UnmergeWorld();
  world.send(watch.key, toEvent(watch, { messageId: 'm1', name: 'Product Viewed' }));
  world.send(anna.key, toEvent(anna, { messageId: 'm2', alias: bert }));
  await world.settle();
  for (const kind of ['feature-filling', 'features']) world.rollOut(kind, WIDE);
  await world.settle();
  await world.fill(WIDE);
  world.send(bert.key, toEvent(bert, { messageId: 'm3' }));
  await world.settle();
  world.change('unmerge', anna, bert);
  while (await world.step());
  return world;
}

describe('what comes while a profile leaves', () => {
  it('is a profile that joins, with what it has yet to take of a fill', async () => {
    const world = await toBegun();
    world.send(anna.key, toEvent(anna, { messageId: 'm4', claims: watch }));
    await world.settle();
    const { key, state } = await world.read(watch.key);
    expect(key).toBe(anna.key);
    expect(wide.toMap(wide.vector(must(state, 'a profile').engine, NOON).values).views_90d).toBe(1);
  });

  it('is what an account reports, of the profile that stays', async () => {
    const world = await toBegun();
    const seats = { name: 'seats', value: { $case: 'number' as const, value: 12 } };
    const traits = { own: [], accountId: 'acme', account: [seats] };
    world.send(anna.key, toEvent(anna, { messageId: 'm4', type: 'group', name: '', traits }));
    while (await world.step());
    expect((await world.read(anna.key)).state?.account?.values).toEqual({ 'account.traits.seats': 12 });
    await world.settle();
    expect((await world.read(bert.key)).key).toBe(bert.key);
    expect((await world.read(anna.key)).state?.account?.values).toEqual({ 'account.traits.seats': 12 });
  });
});
