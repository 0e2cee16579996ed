import { describe, expect, it } from '@jest/globals';
import { compileFeatures } from './compile.js';
import type { FeatureEvent } from './event.js';
import { toHash64 } from './hash.js';
import { MESSAGE_IDS_MAX } from './message-memory.js';
import { ECOMMERCE_FEATURES } from './presets/ecommerce.js';
import type { EngineState } from './state.js';
import { DAY_MS, HOUR_MS } from './time.js';

const compiled = compileFeatures(ECOMMERCE_FEATURES);
const { advance, apply, empty, merge, vector } = compiled;

const NOON = Date.UTC(2024, 4, 15, 12);

describe('feature engine', () => {
  it('declares the features in a fixed order under a hash that only changes on purpose', () => {
    expect(compiled.names.join(' ')).toBe(
      'orders_count_7d orders_count_30d orders_count_90d orders_count_365d orders_count_all orders_revenue_sum_30d ' +
        'orders_revenue_sum_90d orders_revenue_sum_365d orders_revenue_sum_all orders_recency_days orders_tenure_days ' +
        'orders_gap_mean_days products_distinct_90d refunds_count_365d refunds_amount_sum_365d events_count_7d ' +
        'events_count_30d events_count_all',
    );
    expect(compiled.specHash).toBe('d62e2c2cc0b517f4ba999ee345a1dce9460ac343f644827a139e382c9062137b');
  });

  it('knows nothing of a profile without events: zeros, and null where there is no value', () => {
    const { values, validUntilMs } = vector(empty, NOON);
    const { orders_recency_days, orders_tenure_days, orders_gap_mean_days, ...rest } = compiled.toMap(values);
    expect([orders_recency_days, orders_tenure_days, orders_gap_mean_days]).toEqual([null, null, null]);
    expect(new Set(Object.values(rest))).toEqual(new Set([0]));
    expect(validUntilMs).toBeUndefined();
  });

  it('computes days as fractions, and the gap mean from the second order on', () => {
    const one = fold([order({ timestampMs: NOON })]);
    expect(features(one, NOON + 12 * HOUR_MS)).toMatchObject({
      orders_recency_days: 0.5,
      orders_tenure_days: 0.5,
      orders_gap_mean_days: null,
    });
    const three = fold([NOON, NOON - 3 * DAY_MS, NOON - 2 * DAY_MS].map((timestampMs) => order({ timestampMs })));
    expect(features(three, NOON)).toMatchObject({
      orders_recency_days: 0,
      orders_tenure_days: 3,
      orders_gap_mean_days: 1.5,
    });
  });

  it.each([
    ['7d counts from the hour that the window begins in', 'orders_count_7d', 7, HOUR_MS],
    ['30d counts from the day that the window begins in', 'orders_count_30d', 30, DAY_MS],
    ['365d likewise', 'orders_count_365d', 365, DAY_MS],
  ])('%s', (_, name, days, tileMs) => {
    const atMs = NOON + 1234;
    const fromMs = Math.floor((atMs - days * DAY_MS) / tileMs) * tileMs;
    expect(features(fold([order({ timestampMs: fromMs })]), atMs)[name]).toBe(1);
    expect(features(fold([order({ timestampMs: fromMs - 1 })]), atMs)[name]).toBe(0);
  });

  it('says when the next window moves past an event', () => {
    const state = fold([order({ timestampMs: NOON + 1 })]);
    expect(vector(state, NOON + 1).validUntilMs).toBe(NOON + HOUR_MS + 7 * DAY_MS);
    const dayAfterMs = Date.UTC(2024, 4, 16);
    expect(vector(state, NOON + 8 * DAY_MS).validUntilMs).toBe(dayAfterMs + 30 * DAY_MS);
    expect(vector(state, NOON + 40 * DAY_MS).validUntilMs).toBe(dayAfterMs + 90 * DAY_MS);
    expect(vector(state, NOON + 100 * DAY_MS).validUntilMs).toBe(dayAfterMs + 365 * DAY_MS);
    expect(vector(state, NOON + 400 * DAY_MS).validUntilMs).toBeUndefined();
  });

  it('answers for its own time when asked for an earlier one', () => {
    const state = fold([order({ timestampMs: NOON })]);
    expect(vector(state, 0)).toEqual(vector(state, NOON));
  });

  it.each([
    ['absent', {}, 0],
    ['null', { revenue: null }, 0],
    ['empty', { revenue: '' }, 0],
    ['NaN', { revenue: Number.NaN }, 0],
    ['infinite', { revenue: Infinity }, 0],
    ['1e308', { revenue: 1e308 }, 0],
    ['not a number', { revenue: 'twelve' }, 0],
    ['hexadecimal text', { revenue: '0x10' }, 0],
    ['zero', { revenue: 0 }, 0],
    ['a number', { revenue: 12.34 }, 12.34],
    ['decimal text', { revenue: '12.34' }, 12.34],
    ['negative', { revenue: -3.5 }, -3.5],
    ['the greatest', { revenue: 1e9 }, 1e9],
    ['inherited, not own', Object.create({ revenue: 7 }), 0],
  ])('revenue that is %s still counts as an order', (_, properties, sum) => {
    const result = features(fold([order({ properties })]), NOON);
    expect([result.orders_count_all, result.orders_revenue_sum_all]).toEqual([1, sum]);
    expect(result.orders_revenue_sum_30d).toBe(sum);
  });

  it('adds money exactly', () => {
    const tenths = Array.from({ length: 1000 }, (_, i) => order({ messageId: `m${i}`, properties: { revenue: 0.1 } }));
    expect(features(fold(tenths), NOON).orders_revenue_sum_all).toBe(100);
  });

  it.each([
    ['revenue', { revenue: 5 }, 5],
    ['negative revenue', { revenue: -5 }, 5],
    ['total', { total: '5.25' }, 5.25],
    ['neither', {}, 0],
  ])('takes the amount of a refund from %s', (_, properties, amount) => {
    const result = features(fold([order({ name: 'Order Refunded', properties })]), NOON);
    expect(result).toMatchObject({
      refunds_count_365d: 1,
      refunds_amount_sum_365d: amount,
      orders_count_all: 0,
      events_count_all: 1,
    });
  });

  it.each([
    ['another case', 'track', 'order completed'],
    ['another type', 'page', 'Order Completed'],
    ['identify', 'identify', ''],
  ])('takes %s for an event like any other', (_, type, name) => {
    const result = features(fold([order({ type, name, properties: { revenue: 3 } })]), NOON);
    expect(result).toMatchObject({
      orders_count_all: 0,
      orders_revenue_sum_all: 0,
      events_count_all: 1,
      events_count_7d: 1,
    });
  });

  it.each([
    ['product_id', { products: [{ product_id: 'a' }, { product_id: 'b' }, { product_id: 'a' }] }, 2],
    ['sku', { products: [{ sku: 'a' }, { product_id: '', sku: 'b' }] }, 2],
    ['numbers and their text as one', { products: [{ product_id: 7 }, { product_id: '7' }] }, 1],
    ['a single product', { product_id: 'a' }, 1],
    [
      'prototype keys',
      JSON.parse(
        '{"products":[{"product_id":"__proto__"},{"__proto__":{"product_id":"x"}},{"product_id":"toString"}]}',
      ),
      2,
    ],
    ['rubbish', { products: [null, 3, 'a', [], { product_id: {} }] }, 0],
    ['no list', { products: 'a' }, 0],
  ])('reads products from %s', (_, properties, count) => {
    expect(features(fold([order({ properties })]), NOON).products_distinct_90d).toBe(count);
  });

  it('rejects events without id or with a broken time, and takes properties of any shape', () => {
    expect(() => apply(undefined, order({ messageId: '' }))).toThrow(/message id/);
    expect(() => apply(undefined, order({ timestampMs: Number.NaN }))).toThrow(/NaN/);
    expect(() => advance(empty, 1.5)).toThrow(/1.5/);
    for (const properties of [undefined, null, 3, 'x', []])
      expect(apply(undefined, order({ properties })).applied).toBe(true);
  });

  it('remembers a message id for 24 hours of log time, not of event time', () => {
    const late = order({ timestampMs: NOON - 100 * DAY_MS });
    const state = apply(advance(empty, NOON), late).state;
    const dayLater = advance(state, NOON + DAY_MS);
    expect(apply(dayLater, late)).toEqual({ state: dayLater, applied: false, known: 'message' });
    expect(apply(advance(state, NOON + DAY_MS + HOUR_MS), late).applied).toBe(true);
  });

  it('bounds remembered message ids, forgets the oldest first and counts them', () => {
    let state = empty;
    const total = MESSAGE_IDS_MAX + 100;
    for (let i = 0; i < total; i += 1) {
      state = apply(state, order({ messageId: `m${i}`, timestampMs: NOON + (i < 200 ? 0 : HOUR_MS) })).state;
    }
    expect(state.messages.ids.stamps).toHaveLength(MESSAGE_IDS_MAX);
    expect(state.messages.dropped).toBe(100);
    expect(apply(state, order({ messageId: `m${total - 1}` })).applied).toBe(false);
    expect(apply(state, order({ messageId: 'm200' })).applied).toBe(false);
    const forgotten = Array.from({ length: 200 }, (_, i) => apply(state, order({ messageId: `m${i}` })).applied);
    expect(forgotten.filter(Boolean)).toHaveLength(100);
  });

  it('moves recency and tenure with the bits that a vector has, and leaves the rest and NaN', () => {
    const state = fold([order({ timestampMs: NOON - 7 }), order({ messageId: 'b', timestampMs: NOON })]);
    for (const ms of [1, 3_333, 86_399_999, 123_456_789]) {
      expect(compiled.advanceClock(vector(state, NOON).values, { fromMs: NOON, toMs: NOON + ms })).toEqual(
        vector(state, NOON + ms).values,
      );
    }
    const unknown = compiled.names.map(() => Number.NaN);
    expect(compiled.advanceClock(unknown, { fromMs: 0, toMs: 5 })).toEqual(unknown);
  });

  it('merges with an empty profile into itself', () => {
    const state = fold([order({ timestampMs: -5 })]);
    expect(merge(state, empty)).toEqual(state);
    expect(merge(empty, state)).toEqual(state);
  });

  it('hashes without collisions among near texts, odd ends and NULs included', () => {
    const texts = ['', '\0', '\0\0', 'a', 'a\0', 'aa', '\0a', 'aaa', 'ab', 'ba', '😀', '\ud83d'];
    for (let i = 0; i < 100_000; i += 1) texts.push(`order-${i}`);
    const hashes = texts.map(toHash64);
    expect(new Set(hashes.map(({ high, low }) => `${high}/${low}`)).size).toBe(texts.length);
    const share = hashes.filter(({ high }) => high < 2 ** 29).length / hashes.length;
    expect(Math.abs(share - 1 / 8)).toBeLessThan(0.005);
  });
});

function order(fields: Partial<FeatureEvent> = {}): FeatureEvent {
  return { messageId: 'a', type: 'track', name: 'Order Completed', timestampMs: NOON, properties: {}, ...fields };
}

/** Folds events; those with the default id each get a unique one. */
function fold(events: readonly FeatureEvent[]): EngineState {
  let state = empty;
  for (const [index, event] of events.entries()) {
    state = apply(state, { ...event, messageId: event.messageId === 'a' ? `a${index}` : event.messageId }).state;
  }
  return state;
}

function features(state: EngineState, atMs: number): Record<string, number | null> {
  return compiled.toMap(vector(state, atMs).values);
}
