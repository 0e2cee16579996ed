import { describe, expect, it } from '@jest/globals';
import { AcceptedRecord } from '@perennial/contracts';
import { DAY_MS, HOUR_MS } from '@perennial/feature-engine';
import { JoinedKeys, type ProfileRef, toParts } from '@perennial/identity';
import { createSeededRandom, must } from '@perennial/kernel';
import { NOON, SPECS, toDevice, toEvent, toUser } from '../identity/join-test-kit.js';
import { UnmergeWorld } from './unmerge-test-kit.js';

// The seed is part of the test's name; PROPERTY_SEED=... repeats that run.
const SEED = Number(process.env.PROPERTY_SEED ?? Date.now() % 2 ** 31);
const CASES = 80;
const spec = SPECS.initial;

const anna = toUser('anna');
const bert = toUser('bert');
const carl = toUser('carl');
const phone = toDevice('phone');
/** Devices that belong to the profile that stays, and to the one that leaves. */
const laptop = toDevice('laptop');
const tablet = toDevice('tablet');

type Random = () => number;

interface Told {
  readonly kind: 'event';
  readonly self: ProfileRef;
  readonly event: ReturnType<typeof toEvent>;
  /** It joins the pair: left out where that never was. */
  readonly joins: { readonly alias?: ProfileRef; readonly claims?: ProfileRef };
}

interface Change {
  readonly kind: 'merge' | 'unmerge';
  readonly pair: readonly [ProfileRef, ProfileRef];
  /** Asked while the one before is under way. */
  readonly isQueued?: boolean;
  /** The archive has a gap meanwhile. */
  readonly fails?: boolean;
}

/** Both are one profile. */
interface Joined {
  readonly kind: 'joined';
  readonly pair: readonly [ProfileRef, ProfileRef];
}

type Step = Told | Change | Joined;

/** A history in which pairs are joined and parted in turn; in the end all are parted. */
function drawHistory(random: Random): { readonly steps: readonly Step[]; readonly keys: readonly ProfileRef[] } {
  const below = (n: number) => Math.floor(random() * n);
  const leaver = must([bert, phone][below(2)], 'a leaver');
  const middle = leaver === phone && random() < 0.5;
  const pairs: Array<readonly [ProfileRef, ProfileRef]> = middle
    ? [
        [phone, bert],
        [bert, anna],
      ]
    : [[leaver, anna]];
  const keys = [...new Set([...pairs.flat(), ...(random() < 0.5 ? [carl] : [])])];
  let atMs = NOON;
  let count = 0;
  const sent: Told[] = [];
  const tell = (self: ProfileRef, names: { claims?: ProfileRef } = {}, joins: Told['joins'] = {}): Step => {
    const repeated = random() < 0.12 ? sent[below(sent.length)] : undefined;
    if (repeated !== undefined && Object.keys(joins).length === 0) return { ...repeated, joins: {} };
    // All within a day: so long is a message id remembered.
    atMs += below(HOUR_MS / 6);
    const name = must(['Order Completed', 'Order Refunded', 'Product Viewed'][below(3)], 'a name');
    const properties = { order_id: `${self.key} ${below(6)}`, products: [{ product_id: `p${below(5)}` }] };
    const lateMs = random() < 0.3 ? below(40 * DAY_MS) : 0;
    const event = toEvent(self, {
      ...names,
      messageId: `m${count++}`,
      name,
      receivedAtMs: atMs,
      timestampMs: atMs - lateMs,
      amount: below(1_000),
      propertiesJson: Buffer.from(JSON.stringify(properties)),
    });
    const told: Told = { kind: 'event', self, event, joins };
    sent.push({ ...told, joins: {} });
    return told;
  };
  const some = (max: number, devices: readonly ProfileRef[] = []): Step[] =>
    Array.from({ length: below(max) }, () => {
      if (devices.length > 0 && random() < 0.2) return tell(must(devices[below(devices.length)], 'a device'));
      const self = must(keys[below(keys.length)], 'a key');
      return tell(self, self === anna && random() < 0.2 ? { claims: laptop } : {});
    });
  const steps: Step[] = [...some(6, [laptop, tablet])];
  // The one that leaves has a device of its own from before.
  if (keys.includes(bert) && random() < 0.5) steps.push(tell(bert, { claims: tablet }), ...some(4, [tablet]));
  const rounds = 1 + below(3);
  for (let round = 0; round < rounds; round++) {
    for (const pair of pairs) {
      const [weaker, stronger] = pair;
      // After an unmerge only a change joins them again.
      if (round > 0 || random() < 0.3) steps.push({ kind: 'merge', pair });
      else if (weaker === phone) steps.push(tell(stronger, {}, { claims: phone }));
      else steps.push(random() < 0.5 ? tell(stronger, {}, { alias: weaker }) : tell(weaker, {}, { alias: stronger }));
      steps.push(...some(5, [laptop]));
    }
    steps.push(...some(8, [laptop, tablet]));
    steps.push(...drawPartings(random, pairs, (max) => some(max, [laptop, tablet])));
  }
  for (const [weaker, stronger] of pairs) {
    // Says again what was parted: it changes nothing.
    if (random() < 0.5) steps.push(tell(stronger, {}, weaker === phone ? { claims: phone } : { alias: weaker }));
  }
  steps.push(...some(5, [laptop, tablet]));
  return { steps, keys: [...keys, laptop, tablet] };
}

/** Parts all pairs, in any order; some are asked in vain before. */
function drawPartings(random: Random, pairs: ReadonlyArray<Change['pair']>, some: (max: number) => Step[]): Step[] {
  const isForward = random() < 0.5;
  const steps: Step[] = [];
  for (const pair of isForward ? pairs : [...pairs].reverse()) {
    if (random() < 0.2) steps.push({ kind: 'unmerge', pair, fails: true }, ...some(4), { kind: 'joined', pair });
    steps.push({ kind: 'unmerge', pair }, ...some(6));
    if (pairs.length === 1 || isForward || pair[1] !== anna || random() < 0.5) continue;
    // Asked when the one before had not parted it yet: nobody asked that it leave that one.
    steps.push({ kind: 'unmerge', pair: [phone, anna], isQueued: true }, ...some(3));
    steps.push({ kind: 'joined', pair: [phone, bert] });
  }
  return steps;
}

/** Plays it; the runner works now and then, and sees a part of the log. */
async function play(random: Random, steps: readonly Step[]): Promise<UnmergeWorld> {
  const world = new UnmergeWorld((below) => Math.floor(random() * below));
  for (const step of steps) {
    if (step.kind === 'event') {
      const { alias, claims } = step.joins;
      const named = [
        ...step.event.namedIds,
        ...(alias === undefined ? [] : [{ profile: alias, alias: true }]),
        ...(claims === undefined ? [] : [{ profile: claims, alias: false }]),
      ];
      world.send(step.self.key, { ...step.event, namedIds: named });
    } else if (step.kind === 'joined') {
      await world.settle();
      const [a, b] = step.pair;
      expect((await world.read(a.key)).key).toBe((await world.read(b.key)).key);
    } else {
      // A person asks for it once it is so: while it is under way nobody knows what would be parted.
      if ((random() < 0.7 || step.kind === 'merge') && !step.isQueued) await world.settle();
      else while (await world.step());
      world.change(step.kind, ...step.pair);
      if (step.fails) await failOnce(world);
    }
    for (let steps_ = Math.floor(random() * 9); steps_ > 0; steps_--) await world.step();
    world.archived = random() < 0.7 ? Number.POSITIVE_INFINITY : Math.floor(random() * 60);
    if (random() < 0.4) await world.runner().run();
  }
  world.archived = Number.POSITIVE_INFINITY;
  await world.settle();
  return world;
}

/** All ends, and the newest change fails: the archive has lost something. */
async function failOnce(world: UnmergeWorld): Promise<void> {
  world.hasGap = true;
  await world.settle();
  world.hasGap = false;
  const reason = expect.stringContaining('the archive lacks offsets 0 to 0');
  expect(world.ledger.entries.at(-1)).toMatchObject({ state: 'failed', reason });
}

async function describeProfile(world: UnmergeWorld, key: string) {
  const { state, key: root } = await world.read(key);
  const engine = state?.engine ?? spec.empty;
  const times = [2, 9, 40, 120, 400].map((days) => spec.vector(engine, NOON + days * DAY_MS).values);
  return {
    root,
    times,
    lastEventAtMs: state?.lastEventAtMs ?? 0,
    subject: state?.subject.toString(),
    messages: engine.messages.ids.halves,
    // When an order is forgotten depends on the newest time that its profile knew, and so on the order of arrival.
    orders: engine.orders.ids.halves,
  };
}

describe(`profiles that are parted, in ${CASES} cases from seed ${SEED}`, () => {
  it('equal, bit for bit, those of a run in which they had never been joined', async () => {
    for (let index = 0; index < CASES; index++) {
      const seed = SEED + index;
      const { steps, keys } = drawHistory(createSeededRandom(seed));
      const world = await play(createSeededRandom(seed + 1), steps);
      const never = steps.flatMap((step) => (step.kind === 'event' ? [{ ...step, joins: {} }] : []));
      const expected = await play(createSeededRandom(seed + 2), never);
      for (const { key } of keys) {
        const { subject, ...found } = await describeProfile(world, key);
        const { subject: own, ...wanted } = await describeProfile(expected, key);
        expect({ seed, key, ...found }).toEqual({ seed, key, ...wanted });
        // Who had nothing but the other one's events is a profile of nothing.
        if (own !== undefined) expect({ seed, key, subject }).toEqual({ seed, key, subject: own });
      }
      expect({ seed, held: [...world.states.keys()].filter((key) => isUnderWay(world, key)) }).toEqual({
        seed,
        held: [],
      });
      const joined = readJoinedKeys(world);
      for (const { key } of keys)
        expect({ seed, key, root: joined.rootOf(key) }).toEqual({ seed, key, root: (await world.read(key)).key });
      // The logs hold everything: a second run over them leaves the same bytes.
      expect(await world.replay()).toEqual(world.states);
    }
  }, 120_000);
});

/** Who forwards to whom, as a reader of the archive finds it. */
function readJoinedKeys({ partitions }: UnmergeWorld): JoinedKeys {
  const joined = new JoinedKeys();
  for (const { value } of partitions.flatMap(({ log }) => log)) {
    const { record } = AcceptedRecord.decode(must(value, 'a value'));
    if (record?.$case === 'join') {
      const { self, target, change } = record.value;
      joined.join({ self: must(self, 'self'), target: must(target, 'target'), change });
    }
    if (record?.$case === 'unmerge' && record.value.step === 'left') {
      const { self, other } = record.value;
      joined.part({ self: must(self, 'self'), other });
    }
  }
  return joined;
}

function isUnderWay(world: UnmergeWorld, key: string): boolean {
  const { node, held } = toParts(world.stored(key));
  return held !== undefined || (node.kind !== 'ledger' && node.leaving !== undefined);
}
