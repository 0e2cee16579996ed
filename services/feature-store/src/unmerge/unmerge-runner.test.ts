import { describe, expect, it } from '@jest/globals';
import { LEDGER_KEY, toParts } from '@perennial/identity';
import { must, systemClock } from '@perennial/kernel';
import { toEvent, toUser } from '../identity/join-test-kit.js';
import { UnmergeWorld } from './unmerge-test-kit.js';

const anna = toUser('anna');
const bert = toUser('bert');

async function toJoined(): Promise<UnmergeWorld> {
  const world = new UnmergeWorld();
  world.send(anna.key, toEvent(anna, { alias: bert }));
  world.send(bert.key, toEvent(bert, { messageId: 'm2' }));
  await world.settle();
  return world;
}

async function toBegun(): Promise<UnmergeWorld> {
  const world = await toJoined();
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
    // Once to begin, and for each key that is recomputed.
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

describe('a state of the ledger that is behind', () => {
  it('lets nothing be cleared that the ledger has begun', async () => {
    const world = await toBegun();
    const behind = world.behind(world.states.get(LEDGER_KEY));
    const interrupted = { self: undefined, step: 'interrupted', number: 1, attempt: 1, leaver: bert, other: anna.key };
    world.sendRecord(LEDGER_KEY, { $case: 'unmerge', value: { ...interrupted, hash: '' } });
    while (await world.step());
    world.send(bert.key, toEvent(bert, { messageId: 'm3' }));
    while (await world.step());
    const begun = new Map(world.states);
    await world.runner(behind).run();
    while (await world.step());
    expect(world.states).toEqual(begun);
    await world.settle();
    expect(world.ledger.entries).toMatchObject([{ state: 'done', attempt: 2 }]);
    expect((await world.read(bert.key)).state?.engine.messages.ids.halves).toHaveLength(4);
  });
});

describe('states of both ends that are behind', () => {
  /** All but the key that leaves has parted: its partition has not read that yet. */
  async function toHalfParted() {
    const world = await toJoined();
    world.change('unmerge', anna, bert);
    const begins: Array<Map<string, Buffer>> = [];
    do begins.push(new Map(world.states));
    while (await world.step());
    world.send(bert.key, toEvent(bert, { messageId: 'm3' }));
    while (await world.step());
    await world.runner().run();
    const isParted = () => {
      const { node } = toParts(world.stored(anna.key));
      return node.kind !== 'ledger' && node.parted !== undefined;
    };
    while (!isParted()) await world.step();
    return { world, begins };
  }

  it('do not begin again what one of them has ended: what the other one held is not dropped', async () => {
    const { begins } = await toHalfParted();
    for (const index of begins.keys()) {
      const { world, begins: states } = await toHalfParted();
      await world.runner(world.lost(must(states[index], 'states'))).run();
      await world.settle();
      expect(world.ledger.entries).toMatchObject([{ state: 'done', attempt: 1 }]);
      expect((await world.read(bert.key)).state?.engine.messages.ids.halves).toHaveLength(4);
    }
  });
});

describe('an unmerge that does not begin at both its ends', () => {
  it('begins again after twice as long each time, up to an hour: a partition that lags may reach it', async () => {
    const world = await toJoined();
    const lagging = [anna, bert].map(({ key }) => [key, must(world.states.get(key), 'a state')] as const);
    world.change('unmerge', anna, bert);
    let nowMs = 0;
    const runner = world.runner({ clock: { ...systemClock, steadyMs: () => nowMs } });
    const begun: number[] = [];
    for (let minute = 0; minute <= 200; minute++) {
      while (await world.step());
      for (const [key, state] of lagging) world.states.set(key, state);
      const before = world.ledger.entries[0]?.attempt;
      nowMs = minute * 60_000;
      await runner.run();
      while (await world.step());
      if (world.ledger.entries[0]?.attempt !== before) begun.push(minute);
    }
    // At the next look, a minute later, it begins to wait.
    expect(begun).toEqual([1, 4, 9, 18, 35, 68, 129, 190]);
  });
});
