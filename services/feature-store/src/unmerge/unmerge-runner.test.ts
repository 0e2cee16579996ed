import { describe, expect, it } from '@jest/globals';
import { systemClock } from '@perennial/kernel';
import { toEvent, toUser } from '../identity/join-test-kit.js';
import { UnmergeWorld } from './unmerge-test-kit.js';

const anna = toUser('anna');
const bert = toUser('bert');

async function toBegun(): Promise<UnmergeWorld> {
  const world = new UnmergeWorld();
  world.send(anna.key, toEvent(anna, { alias: bert }));
  world.send(bert.key, toEvent(bert, { messageId: 'm2' }));
  await world.settle();
  world.change('unmerge', anna, bert);
  while (await world.step());
  return world;
}

/** Each look at it is six seconds later. */
function createSlowClock() {
  let nowMs = 0;
  return { ...systemClock, steadyMs: () => (nowMs += 6_000) };
}

describe('the lease of unmerges', () => {
  it('is renewed while the archive is read', async () => {
    const world = await toBegun();
    let held = 0;
    const hold = async () => ++held > 0;
    await world.runner({ lease: { hold }, clock: createSlowClock() }).run();
    // Once to begin, and for each key that is replayed.
    expect(held).toBe(3);
    await world.settle();
    expect(world.ledger.entries).toMatchObject([{ state: 'done', attempt: 1 }]);
  });

  it('ends the reading once another process has it', async () => {
    const world = await toBegun();
    let held = 0;
    const lease = { hold: async () => ++held < 3 };
    await world.runner({ lease, clock: createSlowClock() }).run();
    expect(held).toBe(3);
    while (await world.step());
    expect(world.ledger.entries).toMatchObject([{ state: 'running' }]);
    expect(world.objects.size).toBe(0);
  });
});
