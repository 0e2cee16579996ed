import { describe, expect, it } from '@jest/globals';
import { AcceptedRecord } from '@perennial/contracts';
import { DAY_MS, ECOMMERCE_FEATURES, type FeatureDefinition, HOUR_MS } from '@perennial/feature-engine';
import { JoinedKeys, LEDGER_KEY, type ProfileRef, toParts } from '@perennial/identity';
import { createSeededRandom, must } from '@perennial/kernel';
import { toCurrent } from '../domain/fill.js';
import { isFilling } from '../fill/fills.js';
import { NOON, SPECS, toDevice, toEvent, toUser } from '../identity/join-test-kit.js';
import { toPartKeys } from '../identity/part-keys.js';
import { UnmergeWorld } from './unmerge-test-kit.js';

// The seed is part of the test's name; PROPERTY_SEED=... repeats that run.
const SEED = Number(process.env.PROPERTY_SEED ?? Date.now() % 2 ** 31);
const CASES = 60;
const order = { type: 'track', name: 'Order Completed' };
const paid = { kind: 'amount', properties: ['paid'], absolute: false } as const;
const views: FeatureDefinition = {
  name: 'views_90d',
  unit: 'views',
  event: { type: 'track', name: 'Product Viewed' },
  aggregation: 'count',
  windowMs: 90 * DAY_MS,
};
/** A spec that is filled in some of the worlds, and reads accounts. */
const WIDE = 'd'.repeat(64);
SPECS.add(
  WIDE,
  [
    views,
    ...ECOMMERCE_FEATURES,
    { name: 'order_max', unit: 'money', event: order, measure: paid, aggregation: 'max', windowMs: undefined },
  ],
  { attributes: [{ name: 'account.traits.seats', source: 'account_trait', of: 'seats', kind: 'number' }] },
);

const anna = toUser('anna');
const bert = toUser('bert');
const carl = toUser('carl');
const phone = toDevice('phone');
/** Devices that belong to the profile that stays, and to the one that leaves. */
const laptop = toDevice('laptop');
const tablet = toDevice('tablet');
/** Has events at the beginning alone, and joins while a profile leaves: the part of a fill that it has yet to take goes with it. */
const watch = toDevice('watch');

type Random = () => number;

interface Reported {
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

/** The spec `WIDE` comes into force, to be filled; or its fill. */
interface Features {
  readonly kind: 'features';
}

interface Fill {
  readonly kind: 'fill';
}

interface Tick {
  readonly kind: 'tick';
  readonly timeMs: number;
}

type Step = Reported | Change | Joined | Features | Fill | Tick;

/** What somebody says of an account, in which he is. */
function drawAccount(random: Random): NonNullable<ReturnType<typeof toEvent>['traits']> {
  const seats = { $case: 'number' as const, value: Math.floor(random() * 100) };
  return { own: [], accountId: 'acme', account: [{ name: 'seats', value: seats }] };
}

function withoutTraits(step: Step): Step {
  return step.kind === 'event' ? { ...step, event: { ...step.event, traits: undefined } } : step;
}

/** A spec that is filled, somewhere before the first unmerge is asked for. */
function withFill(random: Random, steps: readonly Step[]): readonly Step[] {
  const end = steps.findIndex(({ kind }) => kind === 'unmerge');
  const draw = () => (random() < 0.5 ? end : Math.floor(random() * (end + 1)));
  const [a, b] = [draw(), draw()].sort((x, y) => x - y) as [number, number];
  // A spec that reads no accounts counts nothing for them.
  return [
    ...steps.slice(0, a).map(withoutTraits),
    { kind: 'features' },
    ...steps.slice(a, b),
    { kind: 'fill' },
    ...steps.slice(b),
  ];
}

interface History {
  readonly steps: readonly Step[];
  readonly keys: readonly ProfileRef[];
  readonly isFilled: boolean;
}

/** A history in which pairs are joined and parted in turn; in the end all are parted. */
function drawHistory(random: Random): History {
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
  const sent: Reported[] = [];
  const add = (self: ProfileRef, names: { claims?: ProfileRef } = {}, joins: Reported['joins'] = {}): Step => {
    const repeated = random() < 0.12 ? sent[below(sent.length)] : undefined;
    if (repeated !== undefined && Object.keys(joins).length === 0) return { ...repeated, joins: {} };
    // All within a day: so long is a message id remembered.
    atMs += below(HOUR_MS / 6);
    const name = must(['Order Completed', 'Order Refunded', 'Product Viewed'][below(3)], 'a name');
    const products = [{ product_id: `p${below(5)}` }];
    const properties = { order_id: `${self.key} ${below(6)}`, products, paid: below(1_000) };
    const lateMs = random() < 0.3 ? below(40 * DAY_MS) : 0;
    const event = toEvent(self, {
      ...names,
      ...(self === anna && random() < 0.2 ? { traits: drawAccount(random) } : {}),
      messageId: `m${count++}`,
      name,
      receivedAtMs: atMs,
      timestampMs: atMs - lateMs,
      amount: below(1_000),
      propertiesJson: Buffer.from(JSON.stringify(properties)),
    });
    const reported: Reported = { kind: 'event', self, event, joins };
    sent.push({ ...reported, joins: {} });
    return reported;
  };
  const some = (max: number, devices: readonly ProfileRef[] = []): Step[] =>
    Array.from({ length: below(max) }, (): Step => {
      if (random() < 0.1) return { kind: 'tick', timeMs: atMs };
      if (devices.length > 0 && random() < 0.2) return add(must(devices[below(devices.length)], 'a device'));
      const self = must(keys[below(keys.length)], 'a key');
      return add(self, self === anna && random() < 0.2 ? { claims: laptop } : {});
    });
  const steps: Step[] = [...(random() < 0.5 ? [add(watch), add(watch)] : []), ...some(6, [laptop, tablet])];
  // The one that leaves has a device of its own from before.
  if (keys.includes(bert) && random() < 0.5) steps.push(add(bert, { claims: tablet }), ...some(4, [tablet]));
  const rounds = 1 + below(3);
  for (let round = 0; round < rounds; round++) {
    for (const pair of pairs) {
      const [weaker, stronger] = pair;
      // After an unmerge only a change joins them again.
      if (round > 0 || random() < 0.3) steps.push({ kind: 'merge', pair });
      else if (weaker === phone) steps.push(add(stronger, {}, { claims: phone }));
      else steps.push(random() < 0.5 ? add(stronger, {}, { alias: weaker }) : add(weaker, {}, { alias: stronger }));
      steps.push(...some(5, [laptop]));
    }
    steps.push(...some(8, [laptop, tablet]));
    const isClaimed = random() < 0.5;
    const claim = () => (isClaimed ? [add(anna, { claims: watch })] : []);
    steps.push(...drawPartings(random, pairs, { some: (max) => some(max, [laptop, tablet]), claim }));
  }
  for (const [weaker, stronger] of pairs) {
    // Says again what was parted: it changes nothing.
    if (random() < 0.5) steps.push(add(stronger, {}, weaker === phone ? { claims: phone } : { alias: weaker }));
  }
  steps.push(...some(5, [laptop, tablet]));
  const isFilled = random() < 0.5;
  return { steps: isFilled ? withFill(random, steps) : steps, keys: [...keys, laptop, tablet, watch], isFilled };
}

/** Parts all pairs, in any order; some are asked in vain before. */
function drawPartings(
  random: Random,
  pairs: ReadonlyArray<Change['pair']>,
  { some, claim }: { readonly some: (max: number) => Step[]; readonly claim: () => Step[] },
): Step[] {
  const isForward = random() < 0.5;
  const steps: Step[] = [];
  for (const pair of isForward ? pairs : [...pairs].reverse()) {
    if (random() < 0.2) steps.push({ kind: 'unmerge', pair, fails: true }, ...some(4), { kind: 'joined', pair });
    steps.push({ kind: 'unmerge', pair }, ...claim(), ...some(6));
    if (pairs.length === 1 || isForward || pair[1] !== anna || random() < 0.5) continue;
    // Asked when the one before had not parted it yet: nobody asked that it leave that one.
    steps.push({ kind: 'unmerge', pair: [phone, anna], isQueued: true }, ...some(3));
    steps.push({ kind: 'joined', pair: [phone, bert] });
  }
  return steps;
}

/** Plays it; the runner works now and then, sees a part of the log, and may read a ledger, or all states, from before. */
async function play(random: Random, steps: readonly Step[], features?: string): Promise<UnmergeWorld> {
  const world = new UnmergeWorld((below) => Math.floor(random() * below));
  let ledger: Buffer | undefined;
  let states = new Map<string, Buffer>();
  const loses = random() < 0.2;
  const lose = async () => {
    if (!loses) return;
    if (random() < 0.1) states = new Map(world.states);
    if (random() < 0.3) await world.runner(world.lost(states)).run();
  };
  if (features !== undefined) world.rollOut('features', features);
  for (const step of steps) {
    if (step.kind === 'event') {
      const { alias, claims } = step.joins;
      const named = [
        ...step.event.namedIds,
        ...(alias === undefined ? [] : [{ profile: alias, alias: true }]),
        ...(claims === undefined ? [] : [{ profile: claims, alias: false }]),
      ];
      world.send(step.self.key, { ...step.event, namedIds: named });
    } else if (step.kind === 'features') {
      for (const kind of ['feature-filling', 'features']) world.rollOut(kind, WIDE);
    } else if (step.kind === 'fill') {
      await world.settle();
      await world.fill(WIDE);
    } else if (step.kind === 'tick') {
      world.tick(step.timeMs);
    } else if (step.kind === 'joined') {
      await world.settle();
      const [a, b] = step.pair;
      expect((await world.read(a.key)).key).toBe((await world.read(b.key)).key);
    } else {
      // A person asks for it once it is so: while it is under way nobody knows what would be parted.
      if ((random() < 0.7 || step.kind === 'merge' || step.fails) && !step.isQueued) await world.settle(lose);
      else while (await world.step());
      world.change(step.kind, ...step.pair);
      if (step.fails) await failOnce(world);
    }
    for (let steps_ = Math.floor(random() * 9); steps_ > 0; steps_--) await world.step();
    if (random() < 0.4) states = new Map(world.states);
    world.archived = random() < 0.7 ? Number.POSITIVE_INFINITY : Math.floor(random() * 60);
    if (random() < 0.4) await world.runner(random() < 0.4 ? world.behind(ledger) : {}).run();
    if (random() < 0.4) ledger = world.states.get(LEDGER_KEY);
  }
  await world.settle(lose);
  // Accounts report what is new.
  world.tick(NOON + 20 * HOUR_MS);
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
  const { state, key: root, inForce, ownKeys } = await world.read(key);
  const { fills } = world.artifacts;
  const fill = await fills.get(inForce);
  const spec = SPECS.inForce(inForce.get('features'));
  const part = fill && state && (await fills.loadParts(fill, toPartKeys(ownKeys, state)));
  const context = { spec, specs: SPECS, isFilling: isFilling(inForce, fill), fill };
  const engine = state === undefined ? spec.empty : toCurrent(state, context, part).engine;
  const times = [2, 9, 40, 120, 400].map((days) => spec.vector(engine, NOON + days * DAY_MS).values);
  return {
    root,
    times,
    lastEventAtMs: state?.lastEventAtMs ?? 0,
    subject: state?.subject.toString(),
    seats: state?.account?.values,
    messages: engine.messages.ids.halves,
    // When an order is forgotten depends on the newest time that its profile knew, and so on the order of arrival.
    orders: engine.orders.ids.halves,
  };
}

describe(`profiles that are parted, in ${CASES} cases from seed ${SEED}`, () => {
  it('equal, bit for bit, those of a run in which they had never been joined', async () => {
    for (let index = 0; index < CASES; index++) {
      const seed = SEED + index;
      const { steps, keys, isFilled } = drawHistory(createSeededRandom(seed));
      const world = await play(createSeededRandom(seed + 1), steps);
      const never = steps.flatMap((step): Step[] =>
        step.kind === 'event' ? [{ ...step, joins: {} }] : step.kind === 'tick' ? [step] : [],
      );
      const expected = await play(createSeededRandom(seed + 2), never, isFilled ? WIDE : undefined);
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
      expect(await world.recompute()).toEqual(world.states);
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
