import { describe, expect, it } from '@jest/globals';
import { must } from '@perennial/kernel';
import { compileFeatures } from '../compile.js';
import type { EventFilter, FeatureDefinition } from '../definition.js';
import type { FeatureEvent } from '../event.js';
import { requireFeatureFile } from '../feature-file.js';
import { ECOMMERCE_FEATURES } from '../presets/ecommerce.js';
import { encodeFeatureSpec } from '../spec-file.js';
import type { EngineState } from '../state.js';
import { DAY_MS } from '../time.js';

const START_MS = Date.UTC(2024, 2, 1, 9);
const RULES = { corrections: { keep: 2, cancelled: ['Order Cancelled'] } };
const spec = compileFeatures(ECOMMERCE_FEATURES, RULES);
const plain = compileFeatures(ECOMMERCE_FEATURES);

function track(messageId: string, name: string, properties: object, atMs = START_MS): FeatureEvent {
  return { messageId, type: 'track', name, timestampMs: atMs, properties };
}
const order = (id: string, properties: object, atMs?: number) => track(id, 'Order Completed', properties, atMs);
const cancel = (id: string, orderId: string, atMs?: number) =>
  track(id, 'Order Cancelled', { order_id: orderId }, atMs);

const fold = (events: readonly FeatureEvent[], by = spec) =>
  events.reduce<EngineState>((state, event) => by.apply(state, event).state, by.empty);
function ordersOf(state: EngineState, by = spec) {
  const values = by.toMap(by.vector(state, state.asOfMs).values);
  return [values.orders_count_all, values.orders_revenue_sum_all, values.events_count_all];
}

/** The orders that a state keeps as it had them before it kept currencies. */
function withoutCurrencies(state: EngineState): EngineState {
  const { kept, ...others } = must(state.corrections, 'corrections');
  const old = kept.map((one) => ({
    ...one,
    contributions: one.contributions.map(({ event: { currency: _, ...event }, added }) => ({ event, added })),
  }));
  return { ...state, corrections: { ...others, kept: old } };
}

describe('orders that are cancelled or edited', () => {
  it('are taken back by their id, whichever comes first, and once', () => {
    const bought = order('m1', { order_id: '7', revenue: 50 });
    const cancelled = cancel('m2', '7');
    expect(spec.apply(fold([bought]), cancelled).correction).toMatchObject({ result: 'taken_back' });
    expect(spec.apply(spec.empty, cancelled).correction).toEqual({ result: 'early', cannot: [] });
    expect(ordersOf(fold([bought, cancelled]))).toEqual([0, 0, 1]);
    expect(ordersOf(fold([cancelled, bought]))).toEqual([0, 0, 1]);
    const again = spec.apply(fold([bought, cancelled]), cancel('m3', '7'));
    expect(again.correction?.result).toBe('repeated');
    expect(ordersOf(again.state)).toEqual([0, 0, 2]);
    // Another message of the cancelled order, and a newer version of it.
    const later = fold([bought, cancelled, order('m4', { order_id: '7', revenue: 9, version: 3 })]);
    expect(ordersOf(later)).toEqual([0, 0, 1]);
  });

  it('are replaced by a higher version, whichever comes first', () => {
    const first = order('m1', { order_id: '7', revenue: 50 });
    const second = order('m2', { order_id: '7', revenue: 20, version: 2 });
    expect(ordersOf(fold([first, second]))).toEqual([1, 20, 1]);
    expect(ordersOf(fold([second, first]))).toEqual([1, 20, 1]);
    expect(ordersOf(fold([first, second, order('m3', { order_id: '7', revenue: 8, version: '2' })]))).toEqual([
      1, 20, 1,
    ]);
  });

  it('count once for as long as they are kept, though their ids are forgotten earlier', () => {
    const bought = fold([order('m1', { order_id: '7', revenue: 50 })]);
    const laterMs = START_MS + 45 * DAY_MS;
    const other = spec.apply(spec.advance(bought, laterMs), order('m2', { order_id: '8', revenue: 1 }, laterMs)).state;
    const again = spec.apply(other, order('m3', { order_id: '7', revenue: 50 }, laterMs)).state;
    expect(ordersOf(again)).toEqual([2, 51, 2]);
    expect(ordersOf(spec.apply(again, cancel('m4', '7', laterMs)).state)).toEqual([1, 1, 2]);
  });

  it('are taken back with the amount that came later', () => {
    const events = [order('m1', { order_id: '7' }), order('m2', { order_id: '7', revenue: 50 }), cancel('m3', '7')];
    expect(ordersOf(fold(events.slice(0, 2)))).toEqual([1, 50, 1]);
    expect(ordersOf(fold(events))).toEqual([0, 0, 1]);
  });

  it('count still when their content is forgotten, and the result says so', () => {
    const events = ['7', '8', '9'].map((id, index) => order(`m${id}`, { order_id: id, revenue: 1 }, START_MS + index));
    const result = spec.apply(fold(events), cancel('x', '7'));
    expect(result.correction).toEqual({ result: 'not_kept', cannot: [] });
    expect(ordersOf(result.state)).toEqual([3, 3, 4]);
    const large = order('m', { order_id: '7', revenue: 1, note: 'x'.repeat(3_000) });
    expect(spec.apply(fold([large]), cancel('x', '7')).correction?.result).toBe('not_kept');
  });

  it('say which features still have them, until the windows have passed', () => {
    const event = { type: 'track', name: 'Order Completed' };
    const measure = { kind: 'amount' as const, properties: ['revenue'], absolute: false };
    const max = { name: 'most', unit: 'x', event, aggregation: 'max' as const, measure, windowMs: 365 * DAY_MS };
    const wide = compileFeatures([...ECOMMERCE_FEATURES, max], RULES);
    const { state, correction } = wide.apply(
      fold([order('m1', { order_id: '7', revenue: 50 })], wide),
      cancel('m2', '7'),
    );
    expect(correction?.cannot).toEqual(expect.arrayContaining(['orders_recency_days', 'most']));
    expect(wide.listInexact(state, START_MS)).toEqual(correction?.cannot);
    expect(wide.listInexact(state, START_MS)).not.toContain('orders_revenue_sum_all');
    const later = wide.advance(wide.decode(wide.encode(state)), START_MS + 400 * DAY_MS);
    expect(wide.listInexact(later, later.asOfMs)).toContain('orders_recency_days');
    expect(wide.listInexact(later, later.asOfMs)).not.toContain('most');
  });

  it('that two profiles counted before they join count once', () => {
    const [a, b] = [
      fold([order('m1', { order_id: '7', revenue: 50 })]),
      fold([order('m2', { order_id: '7', revenue: 50 })]),
    ];
    const same = fold([order('m1', { order_id: '7', revenue: 50 })]);
    expect(ordersOf(spec.merge(a, b))).toEqual([1, 50, 1]);
    expect(ordersOf(spec.merge(a, same))).toEqual([1, 50, 1]);
    expect(spec.encode(spec.merge(a, b)).equals(spec.encode(spec.merge(b, a)))).toBe(true);
    const cancelled = fold([cancel('m3', '7')]);
    expect(ordersOf(spec.merge(a, cancelled))).toEqual([0, 0, 1]);
    // Without the rule nobody knows the content.
    const none = fold([order('m1', { order_id: '7', revenue: 50 })], plain);
    expect(ordersOf(plain.merge(none, none), plain)).toEqual([2, 100, 2]);
  });
});

describe('an event that a record takes back', () => {
  const taken = (event: FeatureEvent, receivedAtMs = event.timestampMs) => ({
    messageId: event.messageId,
    counted: { event, added: 'all' as const },
    receivedAtMs,
  });

  it('is taken back once, before or after it came, under any spec', () => {
    const event = order('m1', { order_id: '7', revenue: 50 });
    for (const by of [plain, spec]) {
      const after = by.takeBack(fold([event, order('m2', { revenue: 5 })], by), taken(event));
      expect(after.result).toBe('taken_back');
      expect(ordersOf(after.state, by)).toEqual([1, 5, 1]);
      expect(by.takeBack(after.state, taken(event)).result).toBe('repeated');
      expect(by.apply(after.state, event).applied).toBe(false);
      const before = by.takeBack(by.empty, taken(event));
      expect(before.result).toBe('early');
      expect(by.apply(before.state, event).applied).toBe(false);
      expect(by.decode(by.encode(after.state))).toEqual(after.state);
    }
  });

  it('leaves its order to a corrected message, and is not taken back again with it', () => {
    const event = order('m1', { order_id: '7', revenue: 50 });
    const { state } = spec.takeBack(fold([event]), taken(event));
    const corrected = spec.apply(state, order('m2', { order_id: '7', revenue: 5 })).state;
    expect(ordersOf(corrected)).toEqual([1, 5, 1]);
    const cancelled = spec.apply(fold([event]), cancel('m3', '7')).state;
    expect(spec.takeBack(cancelled, taken(event)).result).toBe('repeated');
  });

  it('without its content does not count when it comes, and is as it was where it came before', () => {
    const event = order('m1', { order_id: '7', revenue: 50 });
    const unknown = { messageId: 'm1', counted: undefined, receivedAtMs: START_MS };
    const early = plain.takeBack(plain.empty, unknown);
    expect([early.result, plain.isTakenBack(early.state, 'm1')]).toEqual(['early', true]);
    expect(plain.apply(early.state, event).applied).toBe(false);
    const known = fold([event], plain);
    expect(plain.takeBack(known, unknown)).toEqual({ state: known, result: 'not_kept', cannot: [] });
    // A spec that keeps orders needs nobody's word for it.
    const kept = spec.takeBack(fold([event]), unknown);
    expect([kept.result, ordersOf(kept.state)]).toEqual(['taken_back', [0, 0, 0]]);
  });

  it('counts as forgotten after a day: the record is believed', () => {
    const event = order('m1', { revenue: 50 });
    const later = plain.advance(fold([event], plain), START_MS + 3 * DAY_MS);
    expect(ordersOf(plain.takeBack(later, taken(event)).state, plain)).toEqual([0, 0, 0]);
  });

  describe('of which a state from before currencies were kept has the content', () => {
    const filter = { type: 'track', name: 'Order Completed' };
    const toCount = (name: string, event: EventFilter): FeatureDefinition => ({
      name,
      unit: 'orders',
      event,
      aggregation: 'count',
      windowMs: undefined,
    });
    const euros = toCount('euro_orders', { ...filter, currency: 'EUR' });
    const refunds = toCount('euro_refunds', { ...filter, name: 'Order Refunded', currency: 'EUR' });
    const share: FeatureDefinition = {
      name: 'euro_share',
      unit: 'share',
      event: undefined,
      aggregation: 'ratio',
      numerator: 'euro_orders',
      denominator: 'all_orders',
    };
    const by = compileFeatures([toCount('all_orders', filter), euros, refunds, share], RULES);
    const bought = { ...order('m1', { order_id: '7', revenue: 50 }), currency: 'EUR' };
    const state = withoutCurrencies(fold([bought], by));
    const countsOf = (after: EngineState) => by.toMap(by.vector(after, after.asOfMs).values);

    it('is taken back in the currency that the record knows', () => {
      const { state: after, cannot } = by.takeBack(state, taken(bought));
      expect([countsOf(after).all_orders, countsOf(after).euro_orders, cannot]).toEqual([0, 0, []]);
    });

    it('leaves what asks for a currency, and says so, where nobody knows it', () => {
      const { state: after, correction } = by.apply(state, cancel('m2', '7'));
      expect([countsOf(after).all_orders, countsOf(after).euro_orders]).toEqual([0, 1]);
      expect(correction).toEqual({ result: 'taken_back', cannot: ['euro_orders', 'euro_share'] });
      expect(by.listInexact(after, after.asOfMs)).toEqual(['euro_orders', 'euro_share']);
    });
  });
});

describe('rules of corrections in a file', () => {
  it('are part of the spec and its hash, all problems at once', () => {
    const text =
      'version: 1\ncorrections: {keep: 2, cancelled: [Order Cancelled]}\nfeatures: {x: {unit: x, aggregation: count}}';
    const read = requireFeatureFile(Buffer.from(text), 'f.yaml');
    expect(read.rules).toEqual(RULES);
    const artifact = requireFeatureFile(encodeFeatureSpec(read.definitions, read.rules), 'f.json');
    expect(artifact).toMatchObject(read);
    expect(spec.specHash).not.toBe(plain.specHash);
    const wrong =
      'version: 1\nrepeatedOrders: each\ncorrections: {keep: 65, cancel: []}\nfeatures: {x: {unit: x, aggregation: count}}';
    expect(() => requireFeatureFile(Buffer.from(wrong), 'f.yaml')).toThrow(
      /needs orders that count once[\s\S]*keep: must be a whole number from 1 to 64[\s\S]*cancel: is an unknown key, did you mean "cancelled"/,
    );
  });
});
