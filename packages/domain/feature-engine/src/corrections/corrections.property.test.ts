import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type CompiledFeatures, compileFeatures } from '../compile.js';
import type { FeatureDefinition } from '../definition.js';
import type { FeatureEvent } from '../event.js';
import { drawCase } from '../oracle-cases-test-kit.js';
import { ECOMMERCE_FEATURES } from '../presets/ecommerce.js';
import { type EngineState, withCorrections } from '../state.js';
import { HOUR_MS } from '../time.js';

// fast-check prints seed and path of a failure; PROPERTY_SEED=... repeats that run.
const SEED = Number(process.env.PROPERTY_SEED ?? Date.now() % 2 ** 31);
const START_MS = Date.UTC(2024, 2, 1, 1);
const RULES = { corrections: { keep: 16, cancelled: ['Order Cancelled'] } };

/** The orders whose worth is no outlier: no first version. */
const CALM: FeatureDefinition = {
  name: 'calm_revenue',
  unit: 'currency',
  event: { type: 'track', name: 'Order Completed' },
  aggregation: 'sum',
  measure: { kind: 'amount', properties: ['revenue'], absolute: false, outliers: 'exclude' },
  windowMs: undefined,
};
const spec = compileFeatures([...ECOMMERCE_FEATURES, CALM], RULES);

/** What happens to a profile: an event, or a record that takes one back. */
type Step = { readonly event: FeatureEvent } | { readonly taken: FeatureEvent };

const drawStep = fc.record({
  kind: fc.constantFrom('order', 'order', 'order', 'cancel', 'view', 'view'),
  orderId: fc.nat(4),
  version: fc.nat(2),
  minute: fc.nat(600),
  isTaken: fc.boolean(),
  side: fc.boolean(),
});
type Drawn = typeof drawStep extends fc.Arbitrary<infer T> ? T : never;

/** Each version of an order is worth something else. */
const worthOf = ({ orderId, version }: Pick<Drawn, 'orderId' | 'version'>) => 10 * (orderId + 1) + version;

function toEvent(drawn: Drawn, index: number): FeatureEvent {
  const { kind, orderId, version, minute } = drawn;
  const timeZone = ['', 'America/New_York', 'Asia/Kathmandu'][index % 3] ?? '';
  const base = { messageId: `m${index}`, type: 'track', timestampMs: START_MS + minute * 60_000, timeZone };
  if (kind === 'view') return { ...base, name: 'Product Viewed', properties: {} };
  const properties = { order_id: `o${orderId}`, version, revenue: worthOf(drawn) };
  const outliers = version === 1 ? ['revenue'] : [];
  return { ...base, outliers, name: kind === 'order' ? 'Order Completed' : 'Order Cancelled', properties };
}

function play(by: CompiledFeatures, steps: readonly Step[], from: EngineState = by.empty): EngineState {
  return steps.reduce((state, step) => take(by, state, step).state, from);
}

function take(by: CompiledFeatures, state: EngineState, step: Step): { readonly state: EngineState } {
  if ('event' in step) return by.apply(state, step.event);
  return by.takeBack(state, toTaken(step.taken));
}

const toTaken = (event: FeatureEvent) => ({
  messageId: event.messageId,
  counted: { event, added: 'all' as const },
  receivedAtMs: event.timestampMs,
});

/** By definition: of each order that nobody cancelled its highest version, of the views those that nobody took back. */
function countNaively(all: readonly Drawn[]) {
  const cancelled = new Set(all.flatMap(({ kind, orderId }) => (kind === 'cancel' ? [orderId] : [])));
  const newest = new Map<number, Drawn>();
  for (const drawn of all) {
    if (drawn.kind !== 'order' || cancelled.has(drawn.orderId)) continue;
    const before = newest.get(drawn.orderId);
    if (before === undefined || before.version < drawn.version) newest.set(drawn.orderId, drawn);
  }
  const others = all.filter(({ kind, isTaken }) => kind === 'cancel' || (kind === 'view' && !isTaken)).length;
  const sumOf = (orders: readonly Drawn[]) => orders.reduce((sum, drawn) => sum + worthOf(drawn), 0);
  const counted = [...newest.values()];
  return {
    orders_count_all: newest.size,
    orders_revenue_sum_30d: sumOf(counted),
    calm_revenue: sumOf(counted.filter(({ version }) => version !== 1)),
    events_count_all: newest.size + others,
  };
}

const valuesOf = (state: EngineState) => spec.toMap(spec.vector(state, state.asOfMs + HOUR_MS).values);

describe(`events that are taken back (seed ${SEED})`, () => {
  it('leave what an independent count gives, in any order and over profiles that join', () => {
    const drawn = fc
      .array(drawStep, { maxLength: 25 })
      .chain((all) =>
        fc.tuple(fc.constant(all), fc.shuffledSubarray(toSteps(all), { minLength: toSteps(all).length })),
      );
    fc.assert(
      fc.property(drawn, ([all, steps]) => {
        const sideOf = (step: (typeof steps)[number]) => all[step.index]?.side;
        const [left, right] = [true, false].map((side) =>
          play(
            spec,
            steps.filter((step) => sideOf(step) === side),
          ),
        ) as [EngineState, EngineState];
        const joined = spec.merge(left, right);
        expect(spec.encode(spec.merge(right, left)).equals(spec.encode(joined))).toBe(true);
        expect(valuesOf(spec.decode(spec.encode(joined)))).toMatchObject(countNaively(all));
        expect(valuesOf(play(spec, steps))).toMatchObject(countNaively(all));
        expect(valuesOf(play(spec, steps, play(spec, steps)))).toMatchObject(countNaively(all));
      }),
      { seed: SEED, numRuns: 1_000 },
    );
  });

  it('are taken back in a spec that is filled, as if it had been in force from the start', () => {
    const drawn = fc.tuple(drawCase, drawCase, fc.array(drawStep, { maxLength: 20 }), fc.nat(60), fc.nat(60));
    fc.assert(
      fc.property(drawn, ([{ definitions, events }, old, all, from, to]) => {
        const before = compileFeatures(old.definitions, RULES);
        const wide = compileFeatures([...definitions, ...ECOMMERCE_FEATURES, CALM], RULES);
        const steps = interleave(events, toSteps(all));
        const begin = from % (steps.length + 1);
        const end = begin + (to % (steps.length - begin + 1));
        const part = play(wide, steps.slice(0, begin), wide.emptyPart);
        let own = play(before, steps.slice(0, begin));
        let beside: EngineState | undefined;
        for (const step of steps.slice(begin, end)) {
          if ('event' in step) {
            if (before.apply(own, step.event).applied)
              beside = wide.foldBeside(beside, { before: own, event: step.event });
          } else beside = wide.takeBackBeside(beside, { before: own, ...toTaken(step.taken) });
          own = take(before, own, step).state;
        }
        const stored = beside && wide.decode(wide.encode(beside));
        const archived = wide.decode(wide.encode(wide.withoutMemories(part)));
        const filled = play(wide, steps.slice(end), wide.completeWith(archived, { beside: stored, own }));
        expect(withoutRemaining(wide, filled)).toEqual(withoutRemaining(wide, play(wide, steps)));
      }),
      { seed: SEED, numRuns: 500 },
    );
  });
});

function toSteps(all: readonly Drawn[]): Array<Step & { readonly index: number }> {
  return all.flatMap((drawn, index) => {
    const event = toEvent(drawn, index);
    const isTaken = drawn.kind === 'view' && drawn.isTaken;
    return isTaken
      ? [
          { event, index },
          { taken: event, index },
        ]
      : [{ event, index }];
  });
}

/** Late and early ones of both histories. */
function interleave(events: readonly FeatureEvent[], steps: readonly Step[]): Step[] {
  const others = events.map((event) => ({ event: { ...event, messageId: `o-${event.messageId}` } }));
  const all: Step[] = [];
  for (let index = 0; index < Math.max(others.length, steps.length); index += 1) {
    all.push(...[others[index], steps[index]].filter((step) => step !== undefined));
  }
  return all;
}

/** What cannot be taken back at once may be found out later that it can. */
function withoutRemaining(by: CompiledFeatures, state: EngineState): EngineState {
  const moved = by.advance(state, state.asOfMs + HOUR_MS);
  return by.decode(by.encode(withCorrections(moved, moved.corrections && { ...moved.corrections, remaining: {} })));
}
