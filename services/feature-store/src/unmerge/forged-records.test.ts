import { describe, expect, it } from '@jest/globals';
import { AcceptedRecord, type IdentityChange, type Unmerge } from '@perennial/contracts';
import { LEDGER_KEY, toParts } from '@perennial/identity';
import { AppError, must, systemClock } from '@perennial/kernel';
import { requireMembers } from '../identity/check-refs.js';
import { HELD_BYTES_END } from '../identity/held.js';
import { decodeIdentityInput } from '../identity/identity-records.js';
import { toEvent, toUser } from '../identity/join-test-kit.js';
import { createUnmerges, encodeUnmerge } from '../identity/unmerge-document.js';
import { UnmergeWorld } from './unmerge-test-kit.js';

const anna = toUser('anna');
const bert = toUser('bert');
const HASH = 'ab'.repeat(32);
const LONG = 'x'.repeat(501);

const toStep = (step: string, changed: Partial<Unmerge> = {}): Unmerge => ({
  self: ['begin', 'left', 'clear'].includes(step) ? bert : anna,
  step,
  number: 1,
  attempt: 1,
  leaver: bert,
  other: anna.key,
  hash: ['part', 'left', 'done'].includes(step) ? HASH : '',
  ...changed,
});
const toLedger = (step: string, changed: Partial<Unmerge> = {}) => toStep(step, { self: undefined, ...changed });

function decode(record: NonNullable<AcceptedRecord['record']>, key: string) {
  return decodeIdentityInput({ key: Buffer.from(key), value: Buffer.from(AcceptedRecord.encode({ record }).finish()) });
}

const readStep = (unmerge: Unmerge) => decode({ $case: 'unmerge', value: unmerge }, unmerge.self?.key ?? LEDGER_KEY);

describe('a forged step of an unmerge', () => {
  it.each(['begin', 'leave', 'part', 'left', 'abort', 'clear'])('%s is known from a real one', (step) => {
    expect(readStep(toStep(step))).toMatchObject({ kind: 'record' });
    const forged: Array<[Partial<Unmerge>, string]> = [
      [{ leaver: undefined }, 'without the profile that leaves'],
      [{ leaver: { ...bert, strength: 7 } }, 'the profile that leaves is no profile'],
      [{ leaver: { ...bert, key: LEDGER_KEY } }, 'the profile that leaves is no profile'],
      [{ leaver: { ...bert, key: 'k'.repeat(65) } }, 'a key of 65 characters'],
      [{ leaver: { ...bert, subject: Buffer.alloc(2_049) } }, 'a sealed id of 2049 bytes'],
      [{ other: 'k'.repeat(65) }, 'a key of 65 characters'],
      [{ number: 0 }, 'without a number'],
      [{ attempt: 0 }, 'without a number'],
      [{ hash: '../../etc' }, 'no SHA-256'],
      [{ self: toUser('zoe') }, 'leaves'],
    ];
    for (const [changed, problem] of forged) expect(() => readStep(toStep(step, changed))).toThrow(problem);
  });

  it.each(['done', 'not_joined', 'interrupted'])('%s is known from a real one at the ledger', (step) => {
    expect(readStep(toLedger(step))).toMatchObject({ kind: 'record', key: LEDGER_KEY });
    expect(() => readStep(toLedger(step, { leaver: undefined }))).toThrow('without the profile that leaves');
    expect(() => readStep(toLedger(step, { hash: 'h' }))).toThrow('no SHA-256');
  });
});

describe('a forged change', () => {
  const change: IdentityChange = {
    id: 'c',
    kind: 'merge',
    weaker: bert,
    stronger: anna,
    by: 'olga',
    reason: '',
    atMs: 1,
  };
  const readChange = (changed: Partial<IdentityChange>) =>
    decode({ $case: 'identityChange', value: { ...change, ...changed } }, LEDGER_KEY);

  it('is known from a real one', () => {
    expect(readChange({})).toMatchObject({ kind: 'record' });
    const forged: Array<[Partial<IdentityChange>, string]> = [
      [{ id: '' }, 'an id of 0 characters'],
      [{ id: LONG }, 'an id of 501'],
      [{ kind: 'swap' }, 'no swap'],
      [{ by: LONG }, 'more than 500 characters'],
      [{ reason: LONG }, 'more than 500 characters'],
      [{ atMs: -1 }, 'not between 1970 and 2100'],
      [{ atMs: Date.UTC(2200, 0) }, 'not between 1970 and 2100'],
      [{ weaker: undefined }, 'without the weaker one'],
      [{ stronger: { ...anna, strength: 255 } }, 'the stronger one is no profile'],
      [{ weaker: anna, stronger: bert }, 'not stronger'],
    ];
    for (const [changed, problem] of forged) expect(() => readChange(changed)).toThrow(problem);
  });
});

describe('a forged hand-over', () => {
  it('is of a profile that was parted from no more than a state can hold', () => {
    const handOver = { self: anna, from: 'f', members: [], state: Buffer.alloc(0) };
    const apart = Array.from({ length: 129 }, (_, i) => `k${i}`);
    expect(() => requireMembers({ ...handOver, parted: { apart, left: [] } })).toThrow('more than 128');
    expect(() => requireMembers({ ...handOver, parted: { apart: [LONG], left: [] } })).toThrow('key of 501');
  });
});

describe('a document that a record names', () => {
  const load = (error: Error) => createUnmerges({ load: () => Promise.reject(error) }).load(HASH);

  it('is none where the store knows none, and is asked for again where the store fails', async () => {
    expect(await load(new AppError('not_found', 'none'))).toBeUndefined();
    expect(await createUnmerges({ load: async () => Buffer.from('{}') }).load(HASH)).toBeUndefined();
    const down = new AppError('dependency_unavailable', 'down', { retriable: true });
    for (const error of [down, new AppError('data_damaged', 'damaged'), new Error('EIO')]) {
      await expect(load(error)).rejects.toMatchObject({ code: 'dependency_unavailable', retriable: true });
    }
  });

  it('is asked for again after it was none', async () => {
    const document = {
      number: 1,
      attempt: 1,
      path: [],
      previous: '',
      leaver: Buffer.alloc(0),
      stayer: Buffer.alloc(0),
    };
    let stored: Buffer | undefined;
    const unmerges = createUnmerges({
      load: async () => {
        if (stored === undefined) throw new AppError('not_found', 'none');
        return stored;
      },
    });
    expect(await unmerges.load(HASH)).toBeUndefined();
    stored = encodeUnmerge(document);
    expect(await unmerges.load(HASH)).toMatchObject({ number: 1 });
  });

  it.each(['part', 'left', 'done'])('makes a dead letter of %s while it is none', async (step) => {
    const world = await toWorld();
    const unmerge = step === 'done' ? toLedger(step) : toStep(step);
    await expect(world.take(unmerge)).rejects.toThrow('unmerge 1 names a document that is not there');
    world.objects.set(HASH, encodeUnmerge({ ...NOTHING, number: 7 }));
    await expect(world.take(unmerge)).rejects.toThrow('is of unmerge 7, not 1');
    // The real one goes on.
    await world.settle();
    expect(world.ledger.entries).toMatchObject([{ state: 'done', attempt: 1 }]);
    expect((await world.read(bert.key)).key).toBe(bert.key);
  });
});

const NOTHING = { attempt: 1, path: [], previous: '', leaver: Buffer.alloc(0), stayer: Buffer.alloc(0) };

describe('records that are held', () => {
  it('become dead letters above a size, as nobody answers a forged beginning', async () => {
    const world = await toJoined();
    await world.take(toStep('begin', { number: 9 }));
    const event = toEvent(bert, { propertiesJson: Buffer.from(JSON.stringify({ a: 'x'.repeat(30_000) })) });
    const records = Math.ceil(HELD_BYTES_END / 30_000);
    for (let i = 0; i < records; i++) world.send(bert.key, { ...event, messageId: `m${i}` });
    await expect(world.settle()).rejects.toThrow('are held for unmerge 9, which does not end');
  });
});

describe('a beginning that nobody asked for', () => {
  it.each([
    ['begin', { number: 9 }],
    ['begin', { attempt: 5 }],
    ['leave', { number: 9 }],
    ['leave', { attempt: 5 }],
  ] as const)('%s of %j does not keep a true one from its end', async (step, changed) => {
    const world = await toJoined();
    await world.take(toStep(step, changed));
    world.send(bert.key, toEvent(bert, { messageId: 'm3' }));
    world.change('unmerge', anna, bert);
    let nowMs = 0;
    const clock = { ...systemClock, steadyMs: () => nowMs };
    const runner = world.runner({ clock });
    for (let minutes = 0; minutes < 5; minutes++) {
      while (await world.step());
      await runner.run();
      nowMs += 60_000;
    }
    while (await world.step());
    expect(world.ledger.entries).toMatchObject([{ state: 'done', attempt: 2 }]);
    expect((await world.read(bert.key)).state?.engine.messages.ids.halves).toHaveLength(4);
    for (const { key } of [anna, bert]) expect(toParts(world.stored(key)).held).toBeUndefined();
  });

  it.each([
    ['begin', { number: 9 }],
    ['begin', {}],
    ['leave', { number: 9 }],
    ['leave', {}],
  ] as const)('%s of %j does not replace the unmerge that is under way', async (step, changed) => {
    const world = await toWorld();
    world.send(bert.key, toEvent(bert, { messageId: 'm3' }));
    await expect(world.take(toStep(step, changed))).rejects.toThrow('while attempt 1 of unmerge 1 is under way');
    await world.settle();
    expect(world.ledger.entries).toMatchObject([{ state: 'done', attempt: 1 }]);
    expect((await world.read(bert.key)).state?.engine.messages.ids.halves).toHaveLength(4);
  });
});

/** Two that have joined, and whose unmerge has begun. */
async function toWorld() {
  const world = await toJoined();
  world.change('unmerge', anna, bert);
  while (await world.step());
  return world;
}

/** Two that have joined. */
async function toJoined() {
  const world = new UnmergeWorld();
  world.send(anna.key, toEvent(anna, { alias: bert }));
  world.send(bert.key, toEvent(bert, { messageId: 'm2' }));
  await world.settle();
  const { definition } = world;
  /** As the processor takes a record; rejects where that makes a dead letter of it. */
  const take = async (unmerge: Unmerge): Promise<void> => {
    const decoded = must(readStep(unmerge), 'a step');
    if (decoded.kind !== 'record') throw new Error('a record');
    const { key, input } = decoded;
    const context = { key, partition: 0, offset: 0, ordinal: 0, logTimeMs: 0, inForce: new Map() };
    const item = { state: world.stored(key), cause: { kind: 'record' as const, input }, context };
    const [evidence] = await must(definition.prepare, 'it prepares')([item]);
    const { state } = definition.step(item, must(evidence, 'evidence'));
    if (state !== undefined) world.states.set(key, definition.codec.encode(state));
  };
  return Object.assign(world, { take });
}
