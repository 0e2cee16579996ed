import { describe, expect, it } from '@jest/globals';
import type { AcceptedEvent, ProfileRef } from '@perennial/contracts';
import { DAY_MS, HOUR_MS } from '@perennial/feature-engine';
import { createSeededRandom, must } from '@perennial/kernel';
import { NOON, SPECS, toDevice, toEvent, toUser } from '../identity/join-test-kit.js';
import { UnmergeWorld } from '../unmerge/unmerge-test-kit.js';

// The seed is part of the test's name; PROPERTY_SEED=... repeats that run.
const SEED = Number(process.env.PROPERTY_SEED ?? Date.now() % 2 ** 31);
const CASES = 8;
const spec = SPECS.initial;
const [anna, bert, phone] = [toUser('anna'), toUser('bert'), toDevice('phone')];
const IDS = [anna, bert, phone];

type Step =
  | { readonly kind: 'event'; readonly self: ProfileRef; readonly event: AcceptedEvent }
  | { readonly kind: 'merge' | 'unmerge' }
  | { readonly kind: 'retract'; readonly self: ProfileRef; readonly messageId: string; readonly early: boolean };

/** Orders, refunds and views of three ids, of which two are joined and parted; some are taken back, before or after they come. */
function drawSteps(random: () => number): Step[] {
  const below = (n: number) => Math.floor(random() * n);
  const sent: Array<Extract<Step, { kind: 'event' }>> = [];
  const early: string[] = [];
  let atMs = NOON;
  const event = (messageId: string, self = must(IDS[below(3)], 'an id')): Step => {
    atMs += below(8 * HOUR_MS);
    const properties = { order_id: messageId, products: [{ product_id: `p${below(4)}` }] };
    const reported = toEvent(self, {
      messageId,
      name: must(['Order Completed', 'Order Refunded', 'Product Viewed'][below(3)], 'a name'),
      timestampMs: atMs - (random() < 0.3 ? below(40 * DAY_MS) : 0),
      receivedAtMs: atMs,
      amount: below(1_000),
      propertiesJson: Buffer.from(JSON.stringify(properties)),
      namedIds: self === anna && messageId.startsWith('m') && random() < 0.3 ? [{ profile: phone, alias: false }] : [],
    });
    const step = { kind: 'event' as const, self, event: reported };
    // What an event says of ids stays said when it is taken back: without it other profiles would have joined.
    if (reported.namedIds.length === 0) sent.push(step);
    return step;
  };
  return Array.from({ length: 30 }, (_, index): Step => {
    const drawn = random();
    if (drawn < 0.06) return { kind: index % 2 === 0 ? 'merge' : 'unmerge' };
    if (drawn < 0.12) {
      early.push(`early ${index}`);
      return { kind: 'retract', self: anna, messageId: `early ${index}`, early: true };
    }
    const came = early.length > 0 && drawn < 0.2 ? early.shift() : undefined;
    if (came !== undefined) return event(came, anna);
    const one = sent[below(sent.length)];
    if (drawn > 0.75 && one !== undefined)
      return { kind: 'retract', self: one.self, messageId: one.event.messageId, early: false };
    return event(`m${index}`);
  });
}

async function play(steps: readonly Step[], draw: (below: number) => number): Promise<UnmergeWorld> {
  const world = new UnmergeWorld(draw);
  world.tick(NOON);
  for (const step of steps) {
    if (step.kind === 'event') world.send(step.self.key, step.event);
    else if (step.kind === 'retract') {
      while (await world.step());
      const { self: profile, messageId, early } = step;
      const { result } = await world.retractor().retract({ profile, messageId, early, by: 'a test', reason: '' });
      expect(result).not.toBe('not_counted');
    } else {
      world.change(step.kind, anna, bert);
      await world.settle();
    }
  }
  await world.settle();
  return world;
}

/** What a profile has of everything that aggregates can take back: counts, sums and ids, with an hour for what is pending. */
async function readExact(world: UnmergeWorld, { key }: ProfileRef) {
  const { state } = await world.read(key);
  if (state === undefined) return {};
  const { engine } = state;
  const inexact = new Set(spec.listInexact(engine, engine.asOfMs));
  const values = Object.entries(spec.toMap(spec.vector(engine, NOON + 60 * DAY_MS).values));
  return { values: Object.fromEntries(values.filter(([name]) => !inexact.has(name))), inexact };
}

describe(`events that are taken back by their ids (seed ${SEED})`, () => {
  it('leave what there would be without them, over joins and unmerges, and a rebuild gives the same bytes', async () => {
    for (let run = 0; run < CASES; run++) {
      const random = createSeededRandom(SEED + run);
      const steps = drawSteps(random);
      const draw = (n: number) => Math.floor(random() * n);
      const taken = new Set(steps.flatMap((step) => (step.kind === 'retract' ? [step.messageId] : [])));
      const without = steps.filter(
        (step) => step.kind !== 'retract' && !(step.kind === 'event' && taken.has(step.event.messageId)),
      );
      const [world, control] = [await play(steps, draw), await play(without, draw)];
      for (const id of IDS) {
        const { values = {}, inexact = new Set() } = await readExact(world, id);
        const expected = await readExact(control, id);
        const known = Object.entries(expected.values ?? {}).filter(([name]) => !inexact.has(name));
        expect({ seed: SEED + run, id: id.key, ...values }).toMatchObject(Object.fromEntries(known));
      }
      expect(await world.recompute()).toEqual(world.states);
    }
  }, 120_000);
});
