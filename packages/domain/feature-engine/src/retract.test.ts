import { describe, expect, it } from '@jest/globals';
import { AGGREGATION_FEATURES } from './aggregations-test-kit.js';
import { compileFeatures } from './compile.js';
import type { FeatureDefinition } from './definition.js';
import type { FeatureEvent } from './event.js';
import { PROFILE_FEATURES } from './profile-test-kit.js';
import type { EngineState } from './state.js';
import { DAY_MS, HOUR_MS } from './time.js';

const START_MS = Date.UTC(2024, 2, 1);
const spec = compileFeatures([...AGGREGATION_FEATURES, ...PROFILE_FEATURES]);

function order(id: string, hour: number, properties: object): FeatureEvent {
  return { messageId: id, type: 'track', name: 'Order Completed', timestampMs: START_MS + hour * HOUR_MS, properties };
}

const fold = (events: readonly FeatureEvent[], by = spec) =>
  events.reduce<EngineState>((state, event) => by.apply(state, event).state, by.empty);
const valuesOf = (state: EngineState, laterMs = 0, by = spec) =>
  by.toMap(by.vector(state, state.asOfMs + laterMs).values);

describe('an event that is taken back', () => {
  const others = [1, 2, 2.2, 9, 40].flatMap((hour, i) => [
    order(`a${i}`, hour, { revenue: 1, products: [{ product_id: 'a' }] }),
    order(`b${i}`, hour + 0.1, { revenue: 9, products: [{ product_id: 'a' }, { product_id: 'b' }] }),
  ]);
  const inside = order('x', 2.1, { revenue: 5, products: [{ product_id: 'a' }] });

  it('leaves what was before, where it is neither first nor last, least nor greatest', () => {
    const before = fold(others);
    const { state, cannot } = spec.retract(fold([...others, inside]), inside);
    // Days and ids may have had another event or not: that is not kept. Here they had.
    expect(cannot.filter((name) => !/^(active|streak|longest_streak|products)_/.test(name))).toEqual([]);
    expect(state.slots).toEqual(before.slots);
    for (const laterMs of [0, DAY_MS, 3 * DAY_MS, 40 * DAY_MS]) {
      expect(valuesOf(state, laterMs)).toEqual(valuesOf(before, laterMs));
    }
  });

  it('names the features that still have it, and changes nothing in those', () => {
    const only = order('x', 0, { revenue: 5, products: [{ product_id: 'a' }] });
    const state = fold([only]);
    const result = spec.retract(state, only);
    const [before, after] = [valuesOf(state), valuesOf(result.state)];
    expect(result.cannot).toEqual(
      expect.arrayContaining(['min_all', 'last_all', 'products_all', 'active_30d', 'recency', 'recency_share']),
    );
    for (const name of result.cannot) expect([name, after[name]]).toEqual([name, before[name]]);
    expect(after).toMatchObject({ mean_all: null, std_90d: null, gap_median: null, top_product_7d: 0, spread: null });
  });

  it('older than a window is nothing that the window cannot take back', () => {
    const base = { unit: 'x', event: undefined };
    const short: FeatureDefinition = { ...base, name: 'short', aggregation: 'active_days', windowMs: DAY_MS };
    const long: FeatureDefinition = { ...base, name: 'long', aggregation: 'active_days', windowMs: 30 * DAY_MS };
    const days = compileFeatures([short, long]);
    const old = order('x', 0, {});
    const result = days.retract(fold([old, order('y', 72, {})], days), old);
    expect(result.cannot).toEqual(['long']);
  });

  it('does not come back by a retry, and another one of its order counts', () => {
    const wrong = order('x', 0, { order_id: '7', revenue: 500 });
    const right = order('y', 0, { order_id: '7', revenue: 5 });
    const { state } = spec.retract(fold([wrong]), wrong);
    expect(spec.apply(state, wrong)).toMatchObject({ applied: false, known: 'message' });
    const corrected = spec.apply(state, right);
    expect(corrected.applied).toBe(true);
    expect(valuesOf(corrected.state)).toMatchObject({ mean_all: 5, std_all: 0 });
  });

  it('that completed an order takes back the amount alone', () => {
    const bare = order('x', 0, { order_id: '7', products: [{ product_id: 'a' }] });
    const amount = order('y', 0, { order_id: '7', revenue: 5, products: [{ product_id: 'a' }] });
    const state = fold([bare, amount]);
    expect(valuesOf(state)).toMatchObject({ mean_all: 5, top_product_7d: 1 });
    const result = spec.retract(state, amount, 'amount');
    expect(valuesOf(result.state)).toMatchObject({ mean_all: null, top_product_7d: 1 });
    expect(spec.apply(result.state, { ...amount, messageId: 'z' }).known).toBe('order_without_amount');
  });
});
