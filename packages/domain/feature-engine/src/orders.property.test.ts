import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compileFeatures } from './compile.js';
import type { FeatureDefinition } from './definition.js';
import type { FeatureEvent } from './event.js';
import { ORDER_IDS_MAX } from './order-memory.js';
import { ECOMMERCE_FEATURES } from './presets/ecommerce.js';
import type { EngineState } from './state.js';
import { DAY_MS } from './time.js';

const once = compileFeatures(ECOMMERCE_FEATURES);
const each = compileFeatures(ECOMMERCE_FEATURES, { repeatedOrders: 'each' });
// fast-check prints seed and path of a failure; PROPERTY_SEED=... repeats that run.
const SEED = Number(process.env.PROPERTY_SEED ?? Date.now() % 2 ** 31);
const START_MS = Date.UTC(2024, 2, 1);

/** Rates as whole hundredths, so that cents times rates are whole units of 1e-4 and an oracle needs no rounding. */
const HUNDREDTHS: Readonly<Record<string, bigint | undefined>> = {
  '': 100n,
  USD: 100n,
  EUR: 109n,
  JPY: 7n,
  XAG: undefined,
};

const order = fc.record({
  id: fc.integer({ min: 1, max: 8 }),
  kind: fc.constantFrom('Order Completed', 'Order Completed', 'Order Refunded'),
  currency: fc.constantFrom(...Object.keys(HUNDREDTHS)),
  cents: fc.integer({ min: 0, max: 1e8 }),
});
type Order = typeof order extends fc.Arbitrary<infer T> ? T : never;

/** Different orders, each sent one to three times in any order; of the messages at least one has the amount. */
const sent = fc.uniqueArray(order, { maxLength: 12, selector: ({ id, kind }) => `${id} ${kind}` }).chain((orders) => {
  const messages = orders.flatMap((o) => [
    { o, bare: false },
    { o, bare: true },
    { o, bare: false },
  ]);
  return fc.record({ orders: fc.constant(orders), messages: fc.shuffledSubarray(messages) });
});

function toEvent(o: Order, messageId: string, { bare }: { bare: boolean }): FeatureEvent {
  const hundredths = HUNDREDTHS[o.currency];
  const worth = bare ? undefined : o.cents / 100;
  return {
    messageId,
    type: 'track',
    name: o.kind,
    timestampMs: START_MS,
    // The id of a refund is as sent; without it refunds of one order differ by their amounts.
    properties: { order_id: `o${o.id}`, refund_id: `r${o.id}`, ...(worth === undefined ? {} : { total: worth }) },
    worth,
    rate: hundredths === undefined ? null : Number(hundredths) / 100,
  };
}

function fold(spec: typeof once, events: readonly FeatureEvent[], from: EngineState = spec.empty): EngineState {
  return events.reduce((state, event) => spec.apply(state, event).state, from);
}

const valuesOf = (spec: typeof once, state: EngineState) => spec.toMap(spec.vector(state, state.asOfMs).values);

/** What the messages are worth, by definition: each order once, in whole units of 1e-4, exactly. */
function count(messages: ReadonlyArray<{ o: Order; bare: boolean }>, kind: string) {
  const own = messages.filter(({ o }) => o.kind === kind);
  const priced = new Map(own.filter(({ bare }) => !bare).map(({ o }) => [o.id, o]));
  const units = [...priced.values()].map(({ cents, currency }) => BigInt(cents) * (HUNDREDTHS[currency] ?? 0n));
  return { orders: new Set(own.map(({ o }) => o.id)).size, sum: Number(units.reduce((a, b) => a + b, 0n)) / 1e4 };
}

const check = <T>(arbitrary: fc.Arbitrary<T>, predicate: (value: T) => void) =>
  fc.assert(fc.property(arbitrary, predicate), { seed: SEED, numRuns: 500 });

describe(`orders against an independent count (seed ${SEED})`, () => {
  it('count once under any number of message ids in any order, in the sum of their currencies', () => {
    check(sent, ({ messages }) => {
      const state = fold(
        once,
        messages.map(({ o, bare }, i) => toEvent(o, `m${i}`, { bare })),
      );
      const orders = count(messages, 'Order Completed');
      const refunds = count(messages, 'Order Refunded');
      expect(valuesOf(once, state)).toMatchObject({
        orders_count_all: orders.orders,
        orders_revenue_sum_all: orders.sum,
        orders_revenue_sum_30d: orders.sum,
        refunds_count_365d: refunds.orders,
        refunds_amount_sum_365d: refunds.sum,
      });
      expect(once.decode(once.encode(state))).toEqual(state);
    });
  });

  it('count each time where the spec says so', () => {
    check(sent, ({ messages }) => {
      const state = fold(
        each,
        messages.map(({ o, bare }, i) => toEvent(o, `m${i}`, { bare })),
      );
      const completed = messages.filter(({ o }) => o.kind === 'Order Completed');
      expect(valuesOf(each, state)).toMatchObject({
        orders_count_all: completed.length,
        events_count_all: messages.length,
      });
    });
  });

  it('are known after a merge to both profiles, in any order of merging', () => {
    check(fc.tuple(sent, fc.infiniteStream(fc.boolean())), ([{ messages }, sides]) => {
      const side = [...messages].map(() => sides.next().value as boolean);
      const of = (left: boolean) =>
        fold(
          once,
          messages.flatMap(({ o, bare }, i) => (side[i] === left ? [toEvent(o, `m${i}`, { bare })] : [])),
        );
      const [left, right] = [of(true), of(false)];
      const joined = once.merge(left, right);
      expect(once.encode(once.merge(right, left)).equals(once.encode(joined))).toBe(true);
      const again = messages.filter(({ bare }) => !bare).map(({ o }, i) => toEvent(o, `again${i}`, { bare: true }));
      expect(fold(once, again, joined)).toBe(joined);
    });
  });
});

describe('an order under two message ids', () => {
  const first = toEvent({ id: 1, kind: 'Order Completed', currency: '', cents: 500 }, 'client', { bare: false });
  const second = { ...first, messageId: 'server' };

  it('is said to be known, and leaves the state as it is', () => {
    const { state } = once.apply(undefined, first);
    expect(once.apply(state, second)).toEqual({ state, applied: false, known: 'order' });
  });

  it('adds what it is worth when the first did not say it, or said it in an unknown currency', () => {
    for (const bare of [
      { ...first, worth: undefined, properties: { order_id: 'o1' } },
      { ...first, rate: null },
    ]) {
      const { state } = once.apply(undefined, bare);
      const completed = once.apply(state, second);
      expect(completed).toMatchObject({ applied: true, known: 'order_without_amount' });
      expect(valuesOf(once, completed.state)).toMatchObject({ events_count_all: 1, orders_revenue_sum_all: 5 });
      expect(once.apply(completed.state, { ...second, messageId: 'third' }).applied).toBe(false);
    }
  });

  it('is another one after 30 days of log time', () => {
    const { state } = once.apply(undefined, first);
    expect(once.apply(once.advance(state, START_MS + 30 * DAY_MS), second).applied).toBe(false);
    expect(once.apply(once.advance(state, START_MS + 31 * DAY_MS), second).applied).toBe(true);
  });

  it('is forgotten with the oldest beyond the limit, and counted as such', () => {
    const orders = Array.from({ length: ORDER_IDS_MAX + 5 }, (_, i) => ({
      ...first,
      messageId: `m${i}`,
      properties: { order_id: `p${i}` },
    }));
    const state = fold(once, orders);
    expect(state.orders).toMatchObject({ dropped: 5, ids: { stamps: { length: ORDER_IDS_MAX } } });
  });

  it('is remembered over a change of the spec, also of the rule', () => {
    const { state } = once.apply(undefined, first);
    const there = each.adopt(once, state);
    expect(each.apply(there, second).applied).toBe(true);
    expect(once.apply(once.adopt(each, there), second).applied).toBe(false);
  });
});

describe('money of a spec', () => {
  const sum = (unit: string, property: string): FeatureDefinition => ({
    name: `${unit}_${property}`,
    unit,
    event: { type: 'track', name: 'Order Completed' },
    aggregation: 'sum',
    measure: { kind: 'amount', properties: [property], absolute: false },
    windowMs: undefined,
  });
  const spec = compileFeatures([sum('currency', 'revenue'), sum('currency', 'tax'), sum('items', 'quantity')]);
  const event: FeatureEvent = {
    messageId: 'm',
    type: 'track',
    name: 'Order Completed',
    timestampMs: START_MS,
    properties: { total: 10, tax: 2, quantity: 3 },
    worth: 10,
    rate: 0.5,
  };

  it('is converted, and other amounts are not', () => {
    expect(valuesOf(spec, spec.apply(undefined, event).state)).toEqual({
      currency_revenue: 5,
      currency_tax: 1,
      items_quantity: 3,
    });
    const unknown = spec.apply(undefined, { ...event, rate: null }).state;
    expect(valuesOf(spec, unknown)).toEqual({ currency_revenue: 0, currency_tax: 0, items_quantity: 3 });
  });

  it('has the unit of the namespace', () => {
    expect(spec.units('EUR')).toEqual({ currency_revenue: 'EUR', currency_tax: 'EUR', items_quantity: 'items' });
  });
});
