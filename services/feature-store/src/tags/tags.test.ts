import { describe, expect, it } from '@jest/globals';
import type { AcceptedRecord, Retraction, TagChange } from '@perennial/contracts';
import { must } from '@perennial/kernel';
import { listGiven } from '@perennial/traits';
import fc from 'fast-check';
import { JoinWorld, NOON, toDevice, toEvent, toUser } from '../identity/join-test-kit.js';
import { UnmergeWorld } from '../unmerge/unmerge-test-kit.js';
import { decodeTagInput, encodeTag } from './tag-records.js';

// fast-check prints nothing here, so the seed is part of the test's name; PROPERTY_SEED=... repeats that run.
const SEED = Number(process.env.PROPERTY_SEED ?? Date.now() % 2 ** 31);

const anna = toUser('anna');
const bert = toUser('bert');
const phone = toDevice('phone');

const toChange = (self: typeof anna, tag: string, given: boolean, fields: Partial<TagChange> = {}): TagChange => ({
  self,
  tag,
  given,
  kind: 'manual',
  owner: 'crm',
  atMs: NOON,
  ...fields,
});

/** An event that has not come is not to count. */
const toEarly = (self: typeof anna): Retraction => ({
  ...{ self, messageId: 'm9', original: undefined, amountOnly: false, copy: false, currency: '' },
  ...{ by: '', reason: '', askedAtMs: NOON },
});

function createWorld(draw?: (below: number) => number) {
  const world = new JoinWorld(draw);
  const change = (...args: Parameters<typeof toChange>) => {
    world.sendRecord(args[0].key, { $case: 'tagChange', value: toChange(...args) });
    world.settle();
  };
  const event = (self: typeof anna, fields: Parameters<typeof toEvent>[1] = {}) => {
    world.send(self.key, toEvent(self, fields));
    world.settle();
  };
  const sent = (key: string) => world.updates.filter((one) => one.key === key).map(({ update }) => update.tags?.names);
  return { world, change, event, sent, tagsOf: async (key: string) => listGiven((await world.read(key))?.about?.tags) };
}

describe('tags of profiles', () => {
  it('travel by name with every update from their change on, and no more once they are taken away', async () => {
    const { world, change, event, sent, tagsOf } = createWorld();
    event(anna);
    change(anna, 'wholesale', true);
    change(anna, 'vip', true);
    event(anna, { messageId: 'm2' });
    change(anna, 'wholesale', false);
    change(anna, 'vip', false);
    expect(sent(anna.key)).toEqual([
      undefined,
      ['wholesale'],
      ['vip', 'wholesale'],
      ['vip', 'wholesale'],
      ['vip'],
      undefined,
    ]);
    expect(await tagsOf(anna.key)).toEqual([]);
    const times = world.updates.filter(({ update }) => update.event === undefined).map(({ update }) => update.asOfMs);
    expect(new Set(times).size).toBe(times.length);
  });

  it('that change nothing announce nothing: the same list twice is the same', async () => {
    const { world, change, event } = createWorld();
    event(anna);
    change(anna, 'vip', true);
    const [bytes, updates] = [must(world.states.get(anna.key), 'a state'), world.updates.length];
    change(anna, 'vip', true, { kind: 'imported', atMs: NOON + 1 });
    change(anna, 'unheard_of', false);
    expect(world.states.get(anna.key)).toEqual(bytes);
    expect(world.updates).toHaveLength(updates);
  });

  it('of somebody without events wait for the first one', async () => {
    const { change, event, sent } = createWorld();
    change(anna, 'vip', true, { kind: 'imported' });
    expect(sent(anna.key)).toEqual([]);
    event(anna);
    expect(sent(anna.key)).toEqual([['vip']]);
  });

  it('of somebody without events announce a join, but no merge and no event that is taken back early', () => {
    const { world, change, event, sent } = createWorld();
    change(phone, 'vip', true);
    world.sendRecord(phone.key, { $case: 'retraction', value: toEarly(phone) });
    world.sendRecord(phone.key, {
      $case: 'join',
      value: { self: phone, target: anna, alias: false },
    });
    world.settle();
    expect(world.written).toContain('handOver');
    expect([world.updates, world.joined]).toEqual([[], [`${phone.key} joined ${anna.key}`]]);
    event(anna);
    expect(sent(anna.key)).toEqual([['vip']]);
  });

  it('of a device are those of the user that it joins; changes for it go there', async () => {
    const { world, change, event, tagsOf } = createWorld();
    event(phone);
    change(phone, 'vip', true);
    event(anna, { claims: phone });
    expect(await tagsOf(anna.key)).toEqual(['vip']);
    change(phone, 'vip', false);
    expect(await tagsOf(anna.key)).toEqual([]);
    expect(world.written.at(-1)).toBe('tagChange');
  });

  it(`are the same whatever partitions do first, and from the same log again (seed ${SEED})`, async () => {
    const drawn = fc.record({
      reported: fc.array(
        fc.record({
          self: fc.constantFrom(anna, phone),
          what: fc.constantFrom('event', 'join', 'a+', 'a-', 'b+', 'b-'),
        }),
        { minLength: 1, maxLength: 20 },
      ),
      schedule: fc.infiniteStream(fc.nat()),
    });
    await fc.assert(
      fc.asyncProperty(drawn, async ({ reported, schedule }) => {
        const run = async (draw: (below: number) => number, isSettled: boolean) => {
          const world = new JoinWorld(draw);
          for (const [index, { self, what }] of reported.entries()) {
            const atMs = NOON + index * 1_000;
            const ids = what === 'join' ? { claims: phone } : {};
            const user = what === 'join' ? anna : self;
            const fields = { messageId: `m${index}`, timestampMs: atMs, receivedAtMs: atMs, ...ids };
            if (what === 'event' || what === 'join') world.send(user.key, toEvent(user, fields));
            else {
              const value = toChange(self, what.charAt(0), what.endsWith('+'), { atMs });
              world.sendRecord(self.key, { $case: 'tagChange', value });
            }
            if (isSettled) world.settle();
          }
          world.settle();
          return (await world.read(anna.key))?.about?.tags ?? [];
        };
        const inOrder = await run(() => 0, true);
        const mixed = await run((below) => (below <= 1 ? 0 : Number(schedule.next().value) % below), false);
        // Changes for the device overtake those for the user where it joins: who has a tag is the same but for these.
        const isJoined = reported.some(({ what }) => what === 'join');
        if (!isJoined) expect(mixed).toEqual(inOrder);
        expect(await run(() => 0, true)).toEqual(inOrder);
        expect(JSON.stringify(mixed).length).toBeLessThan(10_000);
      }),
      { seed: SEED, numRuns: 100 },
    );
  });

  it('are parted with the profiles that had them', async () => {
    const world = new UnmergeWorld();
    const change = (self: typeof anna, tag: string, given = true) =>
      world.sendRecord(self.key, { $case: 'tagChange', value: toChange(self, tag, given) });
    world.send(anna.key, toEvent(anna, { messageId: 'm1' }));
    world.send(bert.key, toEvent(bert, { messageId: 'm2' }));
    change(anna, 'of_anna');
    change(bert, 'of_bert');
    world.send(anna.key, toEvent(anna, { messageId: 'm3', alias: bert }));
    await world.settle();
    change(bert, 'later');
    await world.settle();
    const [stronger, weaker] = [await world.read(anna.key), await world.read(bert.key)];
    expect(stronger.key).toBe(weaker.key);
    expect(listGiven(stronger.state?.about?.tags)).toEqual(['later', 'of_anna', 'of_bert']);
    world.change('unmerge', anna, bert);
    await world.settle();
    expect(listGiven((await world.read(anna.key)).state?.about?.tags)).toEqual(['of_anna']);
    expect(listGiven((await world.read(bert.key)).state?.about?.tags)).toEqual(['later', 'of_bert']);
  });
});

describe('a forged change of a tag', () => {
  const read = (changed: Partial<TagChange>, key = anna.key) =>
    decodeTagInput({ key: Buffer.from(key), value: encodeTag({ ...toChange(anna, 'vip', true), ...changed }) });

  it('is known from a real one', () => {
    expect(read({})).toMatchObject({ kind: 'record', key: anna.key });
    const forged: Array<[Partial<TagChange>, string]> = [
      [{ tag: 'VIP' }, 'none of a tag'],
      [{ tag: '' }, 'none of a tag'],
      [{ kind: 'rule' }, 'neither manual nor imported'],
      [{ owner: 'x'.repeat(101) }, 'owner of 101 characters'],
      [{ atMs: -1 }, 'not between 1970 and 2100'],
      [{ atMs: Date.UTC(2200, 0) }, 'not between 1970 and 2100'],
      [{ self: undefined }, 'without self'],
      [{ self: bert }, 'under the key of another profile'],
    ];
    for (const [changed, problem] of forged) expect(() => read(changed)).toThrow(problem);
  });

  it('is distinguished from other records', () => {
    const other: AcceptedRecord['record'] = { $case: 'tick', value: { timeMs: 1 } };
    expect(other.$case).toBe('tick');
    expect(decodeTagInput({ key: null, value: null })).toBeUndefined();
  });
});
