import { describe, expect, it } from '@jest/globals';
import { TOP_CELLS_MAX } from './accumulators/tops.js';
import { compileFeatures } from './compile.js';
import type { FeatureDefinition } from './definition.js';
import { parseFeatureSpec } from './spec-file.js';
import type { EngineState } from './state.js';
import { DAY_MS } from './time.js';

const START_MS = Date.UTC(2024, 2, 1);
const base = {
  unit: 'x',
  event: undefined,
  measure: { kind: 'id', properties: ['sku'], list: undefined },
} as const;
const week: FeatureDefinition = { ...base, name: 'week', aggregation: 'top_count', rank: 1, windowMs: 7 * DAY_MS };
const month: FeatureDefinition = { ...base, name: 'month', aggregation: 'top_share', rank: 1, windowMs: 30 * DAY_MS };
const life: FeatureDefinition = { ...base, name: 'life', aggregation: 'entropy', windowMs: undefined };
const spec = compileFeatures([week, month, life]);

type Sold = readonly [sku: string, day: number];

function fold(sold: readonly Sold[], prefix = ''): EngineState {
  const until = spec.advance(spec.empty, START_MS + 30 * DAY_MS);
  return sold.reduce((state, [sku, day], i) => {
    const timestampMs = START_MS + day * DAY_MS;
    const event = { messageId: `${prefix}${i}`, type: 'track', name: 'a', timestampMs, properties: { sku } };
    return spec.apply(state, event).state;
  }, until);
}

const valuesOf = (state: EngineState) => spec.toMap(spec.vector(state, state.asOfMs).values);

describe('the most frequent ids', () => {
  it('are counted in their windows, with the ids by feature', () => {
    const state = fold([
      ...Array.from({ length: 4 }, (): Sold => ['old', 1]),
      ...Array.from({ length: 3 }, (): Sold => ['new', 29]),
      ['rare', 28],
    ]);
    expect(valuesOf(state)).toEqual({ week: 3, month: 0.5, life: 1.4056390622295662 });
    const [old, recent, rare] = [
      { id: 'old', count: 4 },
      { id: 'new', count: 3 },
      { id: 'rare', count: 1 },
    ];
    expect(spec.tops(state, state.asOfMs)).toEqual({
      week: [recent, rare],
      month: [old, recent, rare],
      life: [old, recent, rare],
    });
    expect(spec.tops(state, state.asOfMs + 40 * DAY_MS)).toEqual({ week: [], month: [], life: [old, recent, rare] });
    expect(valuesOf(spec.empty)).toEqual({ week: 0, month: null, life: null });
  });

  it('are five, equal ones by id, long and broken ones in another spelling', () => {
    const long = 'x'.repeat(300);
    const state = fold(['f', 'b', 'e', 'c', 'a', 'd'].map((sku): Sold => [sku, 29]));
    expect(
      spec
        .tops(state, state.asOfMs)
        .week?.map(({ id }) => id)
        .join(''),
    ).toBe('abcde');
    const odd = fold([long, long, `${long}y`, '\ud800'].map((sku): Sold => [sku, 29]));
    const ids = spec.tops(odd, odd.asOfMs).week ?? [];
    expect(ids.map(({ count }) => count)).toEqual([2, 1, 1]);
    expect(ids.map(({ id }) => Buffer.byteLength(id)).every((bytes) => bytes <= 64)).toBe(true);
    expect(ids[0]?.id).toMatch(/^x{11}…[0-9a-f]{16}$/);
    expect(spec.decode(spec.encode(odd))).toEqual(odd);
  });

  it('beyond the limit are the newest, the same in any order of events and merges', () => {
    const sold = Array.from(
      { length: 3 * TOP_CELLS_MAX },
      (_, i): Sold => [`p${(i * 7) % 2_000}`, 20 + ((i * 13) % 11)],
    );
    const whole = fold(sold);
    expect(spec.countEstimates(whole)).toBe(spec.slots.length);
    expect(fold(sold.toReversed()).slots).toEqual(whole.slots);
    const [a, b, c] = [sold.slice(0, 900), sold.slice(900, 1_700), sold.slice(1_700)].map((part, i) =>
      fold(part, `${i}-`),
    ) as [EngineState, EngineState, EngineState];
    expect(spec.merge(spec.merge(a, b), c).slots).toEqual(whole.slots);
    expect(spec.merge(spec.merge(c, a), b).slots).toEqual(whole.slots);
    expect(spec.encode(whole).length).toBeLessThan(110_000);
    // What is kept of an id in a tile is complete.
    for (const { id, count } of spec.tops(whole, whole.asOfMs).week ?? []) {
      expect(sold.filter(([sku, day]) => sku === id && day >= 23).length).toBeGreaterThanOrEqual(count);
    }
  });

  it('need a rank that is there', () => {
    const feature = { unit: 'x', aggregation: 'top_count', measure: { kind: 'id', properties: ['sku'] } };
    const features = [0, 2.5, 6, undefined].map((rank, i) => ({ ...feature, name: `f${i}`, rank }));
    const parsed = parseFeatureSpec(Buffer.from(JSON.stringify({ version: 1, features })));
    expect(parsed.ok || parsed.problems).toEqual([
      'features[0].rank: must be a whole number from 1 to 5, it is 0',
      'features[1].rank: must be a whole number from 1 to 5, it is 2.5',
      'features[2].rank: must be a whole number from 1 to 5, it is 6',
    ]);
  });
});
