import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compileFeatures } from './compile.js';
import type { FeatureDefinition } from './definition.js';
import type { FeatureEvent } from './event.js';
import { drawCase } from './oracle-cases-test-kit.js';
import { MEMORY_BYTES_MAX, toBytesMax } from './state-bound.js';
import { DAY_MS, HOUR_MS } from './time.js';

const BASE = { name: 'x', unit: 'x', event: undefined };
const amount = { kind: 'amount', properties: ['price'], absolute: false } as const;
/** Of the tests with many events: seconds on a quiet machine. */
const TIMEOUT_MS = 240_000;
const ids = { kind: 'id', properties: ['sku'], list: undefined } as const;

/** Bytes of a state, all and without what it remembers besides its features. */
function measure(definitions: readonly FeatureDefinition[], events: Iterable<FeatureEvent>) {
  const spec = compileFeatures(definitions, { repeatedOrders: 'each' });
  let state = spec.empty;
  for (const event of events) state = spec.apply(state, event).state;
  const all = spec.encode(state).length;
  return { all, own: all - spec.encode({ ...state, slots: spec.empty.slots }).length };
}

/** Amounts with many digits, an id of its own each, one event in each part of time. */
function* everyPart(count: number, partMs: number): Generator<FeatureEvent> {
  for (let index = 0; index < count; index += 1) {
    const properties = { price: (index % 2 === 0 ? -1 : 1) * (999_999_999.9999 - index), sku: `s${index}` };
    yield { messageId: `m${index}`, type: 'track', name: 'bought', timestampMs: index * partMs, properties };
  }
}

/** 10,000 values a day that no other day has, a hundred an event. */
function* manyValues(days: number): Generator<FeatureEvent> {
  for (let index = 0; index < days * 100; index += 1) {
    const products = Array.from({ length: 100 }, (_, item) => ({ sku: `s${index}-${item}` }));
    const timestampMs = Math.floor((index * DAY_MS) / 100);
    yield { messageId: `m${index}`, type: 'track', name: 'bought', timestampMs, properties: { products } };
  }
}

describe('the bound of a state', () => {
  it.each<[string, FeatureDefinition, number, number]>([
    ['count of a year', { ...BASE, aggregation: 'count', windowMs: 365 * DAY_MS }, 400, DAY_MS],
    ['sum of 12 h', { ...BASE, aggregation: 'sum', measure: amount, windowMs: 12 * HOUR_MS }, 200, HOUR_MS / 12],
    ['std of a year', { ...BASE, aggregation: 'std', measure: amount, windowMs: 365 * DAY_MS }, 400, DAY_MS],
    ['trend of 7 d', { ...BASE, aggregation: 'trend', windowMs: 7 * DAY_MS }, 800, HOUR_MS / 2],
    ['max of 7 d', { ...BASE, aggregation: 'max', measure: amount, windowMs: 7 * DAY_MS }, 800, HOUR_MS / 2],
    ['last of a year', { ...BASE, aggregation: 'last', measure: amount, windowMs: 365 * DAY_MS }, 400, DAY_MS],
    ['first of all', { ...BASE, aggregation: 'first', measure: amount, windowMs: undefined }, 400, DAY_MS],
    ['distinct of all', { ...BASE, aggregation: 'distinct', measure: ids, windowMs: undefined }, 5_000, HOUR_MS],
    ['distinct of a year', { ...BASE, aggregation: 'distinct', measure: ids, windowMs: 365 * DAY_MS }, 5_000, HOUR_MS],
    ['days of all', { ...BASE, aggregation: 'active_days', windowMs: undefined }, 5_000, 2 * DAY_MS],
    ['gaps', { ...BASE, aggregation: 'gap_std' }, 600, 400 * DAY_MS],
    [
      'tops of a year',
      { ...BASE, aggregation: 'top_count', measure: ids, rank: 1, windowMs: 365 * DAY_MS },
      2_000,
      HOUR_MS,
    ],
    ['entropy', { ...BASE, aggregation: 'entropy', measure: ids, windowMs: undefined }, 2_000, HOUR_MS],
    ['sessions', { ...BASE, aggregation: 'sessions_count', gapMs: HOUR_MS, windowMs: 90 * DAY_MS }, 3_000, HOUR_MS - 1],
    ['decay of 7 d', { ...BASE, aggregation: 'decayed_sum', measure: amount, halfLifeMs: 7 * DAY_MS }, 400, DAY_MS],
  ])('holds for the %s', (_, definition, count, partMs) => {
    const { own } = measure([definition], everyPart(count, partMs));
    expect(own).toBeGreaterThan(0);
    expect(own).toBeLessThanOrEqual(toBytesMax(definition));
  });

  it('holds for what every state remembers', () => {
    const definition: FeatureDefinition = { ...BASE, aggregation: 'count', windowMs: undefined };
    const { all, own } = measure([definition], everyPart(5_000, 1));
    expect(all - own).toBeGreaterThan(0.8 * MEMORY_BYTES_MAX);
    expect(all - own).toBeLessThanOrEqual(MEMORY_BYTES_MAX);
  });

  it(
    'does not grow with the events of a profile: 200,000 take what 20,000 do',
    () => {
      const definitions: FeatureDefinition[] = [
        { ...BASE, name: 'count', aggregation: 'count', windowMs: 30 * DAY_MS },
        { ...BASE, name: 'sum', aggregation: 'sum', measure: amount, windowMs: undefined },
        { ...BASE, name: 'last', aggregation: 'days_since_last' },
      ];
      // One in five minutes, so that the window holds as many events of both. `bench/large-profile.mjs` has a million.
      const [small, large] = [20_000, 200_000].map((count) => measure(definitions, everyPart(count, HOUR_MS / 12)));
      const bytesMax = definitions.reduce((sum, definition) => sum + toBytesMax(definition), 0);
      expect(large?.own).toBeLessThanOrEqual(bytesMax);
      // Numbers of more digits.
      expect(large?.all).toBeLessThanOrEqual((small?.all ?? 0) + 16);
    },
    TIMEOUT_MS,
  );

  it(
    'holds for 10,000 distinct values a day',
    () => {
      const listed = { kind: 'id', properties: ['sku'], list: 'products' } as const;
      const week = { measure: listed, windowMs: 7 * DAY_MS };
      const definitions: FeatureDefinition[] = [
        { ...BASE, name: 'distinct', aggregation: 'distinct', ...week },
        { ...BASE, name: 'all', aggregation: 'distinct', measure: listed, windowMs: undefined },
        { ...BASE, name: 'top', aggregation: 'top_count', rank: 1, ...week },
        { ...BASE, name: 'entropy', aggregation: 'entropy', measure: listed, windowMs: undefined },
      ];
      const bytesMax = definitions.reduce((sum, definition) => sum + toBytesMax(definition), 0);
      const { own } = measure(definitions, manyValues(10));
      // All of the bound that ids can take of it.
      expect(own).toBeGreaterThan(0.25 * bytesMax);
      expect(own).toBeLessThanOrEqual(bytesMax);
    },
    TIMEOUT_MS,
  );

  it('holds for random specs and histories', () => {
    fc.assert(
      fc.property(drawCase, ({ definitions, events }) => {
        const bytesMax = definitions.reduce((sum, definition) => sum + toBytesMax(definition), 0);
        const { all, own } = measure(definitions, events);
        expect(own).toBeLessThanOrEqual(bytesMax);
        expect(all).toBeLessThanOrEqual(bytesMax + MEMORY_BYTES_MAX);
      }),
      { numRuns: 300 },
    );
  });
});
