import { describe, expect, it } from '@jest/globals';
import { describeStateFormat } from '@perennial/contracts/contract-suite';
import fc from 'fast-check';
import { ACTIVE_DAYS_MAX } from './accumulators/days.js';
import { RECENT_TIMES_MAX } from './accumulators/recent-times.js';
import { AGGREGATION_FEATURES } from './aggregations-test-kit.js';
import { compileFeatures } from './compile.js';
import type { FeatureDefinition } from './definition.js';
import type { FeatureEvent } from './event.js';
import { toGoldenHistory } from './golden-histories-test-kit.js';
import { ECOMMERCE_FEATURES } from './presets/ecommerce.js';
import { PROFILE_FEATURES } from './profile-test-kit.js';
import { encodeFeatureSpec, parseFeatureSpec } from './spec-file.js';
import type { EngineState } from './state.js';
import { DAY_MS } from './time.js';

type Spec = ReturnType<typeof compileFeatures>;

const preset = compileFeatures(ECOMMERCE_FEATURES);
const EVERY = [...AGGREGATION_FEATURES, ...PROFILE_FEATURES];
const all = compileFeatures(EVERY);
const both = compileFeatures([...EVERY, ...ECOMMERCE_FEATURES]);
const START_MS = Date.UTC(2024, 2, 1);

describeStateFormat({
  name: 'of every aggregation',
  format: all,
  state: fc.nat(2_000).map((seed) => foldHistory(all, seed)),
});

describe('a spec of every aggregation', () => {
  it('is the same from its bytes', () => {
    const parsed = parseFeatureSpec(encodeFeatureSpec(EVERY));
    if (!parsed.ok) throw new Error(parsed.problems.join('\n'));
    expect(compileFeatures(parsed.definitions).features).toEqual(all.features);
    expect(new Set(all.features.map(({ hash }) => hash)).size).toBe(EVERY.length);
  });

  it('leaves the features beside it their bits, and adopts in both directions', () => {
    for (const seed of [3, 13, 23, 33]) {
      const [alone, other, together] = [foldHistory(preset, seed), foldHistory(all, seed), foldHistory(both, seed)];
      const values = both.toMap(both.vector(together, together.asOfMs).values);
      expect(values).toMatchObject(preset.toMap(preset.vector(alone, alone.asOfMs).values));
      expect(values).toMatchObject(all.toMap(all.vector(other, other.asOfMs).values));
      expect(preset.encode(preset.adopt(both, together)).equals(preset.encode(alone))).toBe(true);
      expect(all.encode(all.adopt(both, together)).equals(all.encode(other))).toBe(true);
      const grown = both.adopt(preset, alone);
      expect(both.toMap(both.vector(grown, grown.asOfMs).values)).toMatchObject({ std_all: null, active_all: 0 });
    }
  });

  it('does not read a state that is cut', () => {
    const bytes = all.encode(foldHistory(all, 13));
    for (let length = 1; length < bytes.length; length += 1) {
      expect(() => all.decode(bytes.subarray(0, length))).toThrow('cannot be read');
    }
  });

  it('never crashes the process on garbage', () => {
    const prefix = all.encode(all.empty).subarray(0, 9);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (garbage) => {
        let state: EngineState | undefined;
        try {
          state = all.decode(Buffer.concat([prefix, garbage]));
        } catch (error) {
          expect(String(error)).toMatch(/cannot be read/);
        }
        if (state !== undefined) expect(all.decode(all.encode(state))).toEqual(state);
      }),
      { numRuns: 1000 },
    );
  });

  it('rejects ratios of what is not there, of themselves and of ratios, and keys of other aggregations', () => {
    const ratio = { name: 'r', unit: 'share', aggregation: 'ratio', numerator: 'n', denominator: 'n' };
    const count = { name: 'n', unit: 'events', aggregation: 'count' };
    expect(problemsOf([count, ratio])).toEqual([]);
    expect(
      problemsOf([count, { ...ratio, numerator: 'r', denominator: 'm' }, { ...ratio, name: 's', numerator: 'r' }]),
    ).toEqual([
      'features[1].numerator: "r" is the feature itself',
      'features[1].denominator: there is no feature "m", did you mean "n"?',
      'features[2].numerator: "r" is itself a ratio',
    ]);
    expect(problemsOf([count, { ...ratio, event: { type: 'page' }, window: '7d', denominator: undefined }])).toEqual([
      'features[1].denominator: must be a text, it is missing',
      'features[1].event: is an unknown key',
      'features[1].window: is an unknown key',
    ]);
    expect(
      problemsOf([
        { ...count, aggregation: 'trend' },
        { ...count, name: 'a', aggregation: 'active_days', window: '23h' },
        { ...count, name: 'b', aggregation: 'mean', window: '1d' },
      ]),
    ).toEqual([
      'features[0].window: is missing: this aggregation is for windows only',
      'features[1].window: must be from "1d" to "365d", it is "23h"',
      'features[2].measure: is missing',
    ]);
  });
});

describe('the hash of a ratio', () => {
  const count = (name: string, type: string): FeatureDefinition => ({
    name,
    unit: 'events',
    event: { type, name: undefined },
    aggregation: 'count',
    windowMs: undefined,
  });
  const hashOf = (numerator: string, denominator: string, others: readonly FeatureDefinition[]) =>
    compileFeatures([
      { name: 'r', unit: 'share', event: undefined, aggregation: 'ratio', numerator, denominator },
      ...others,
    ]).features[0]?.hash;
  const hash = hashOf('a', 'b', [count('a', 'page'), count('b', 'track')]);

  it('covers what its features mean, not what they are called', () => {
    expect(hashOf('x', 'y', [count('y', 'track'), count('x', 'page')])).toBe(hash);
    expect(hashOf('a', 'b', [count('a', 'track'), count('b', 'page')])).not.toBe(hash);
    expect(hashOf('a', 'b', [count('a', 'page'), count('b', 'screen')])).not.toBe(hash);
  });
});

describe('amounts', () => {
  const spec = compileFeatures(AGGREGATION_FEATURES.filter(({ name }) => name.endsWith('_all')));
  const fold = (amounts: readonly unknown[]) =>
    amounts.reduce<EngineState>(
      (state, revenue, i) => spec.apply(state, order(`m${i}`, { revenue })).state,
      spec.empty,
    );
  const valuesOf = (state: EngineState) => spec.toMap(spec.vector(state, state.asOfMs).values);

  it('that are great and nearly equal deviate by exactly what they differ', () => {
    expect(valuesOf(fold([999_999_999.9999, 999_999_999.9997, -1]))).toMatchObject({
      mean_all: 1_999_999_998.9996 / 3,
    });
    expect(valuesOf(fold([999_999_999.9999, 999_999_999.9997])).std_all).toBe(0.0001);
    expect(valuesOf(fold([1e9, -1e9, 1e9, -1e9])).std_all).toBe(1e9);
    expect(valuesOf(fold([7.1, 7.1, 7.1])).std_all).toBe(0);
  });

  it('that are absent or unknown are in no mean', () => {
    expect(valuesOf(fold([undefined, 'x', 0, 10]))).toMatchObject({ mean_all: 5, std_all: 5 });
    expect(valuesOf(fold([undefined]))).toMatchObject({ mean_all: null, std_all: null, active_all: 1 });
  });

  it('of an order that came without are counted once they come', () => {
    const { state } = spec.apply(undefined, order('m0', { order_id: 'o' }));
    const later = spec.apply(state, order('m1', { order_id: 'o', revenue: 8 }));
    expect(later.known).toBe('order_without_amount');
    expect(valuesOf(later.state)).toMatchObject({ mean_all: 8, std_all: 0, active_all: 1 });
  });
});

describe('amounts in order', () => {
  const named = ['min_all', 'first_all', 'last_all', 'gap_std'];
  const spec = compileFeatures(AGGREGATION_FEATURES.filter(({ name }) => named.includes(name)));
  const fold = (events: readonly FeatureEvent[]) =>
    events.reduce<EngineState>((state, event) => spec.apply(state, event).state, spec.empty);
  const valuesOf = (state: EngineState) => spec.toMap(spec.vector(state, state.asOfMs).values);

  it('of one time are the least first and the greatest last, in any order', () => {
    const events = [5, -3, 9, 'x'].map((revenue, i) => order(`m${i}`, { revenue }));
    for (const some of [events, events.toReversed()]) {
      expect(valuesOf(fold(some))).toEqual({ min_all: -3, first_all: -3, last_all: 9, gap_std: 0 });
    }
  });

  it('are null without one, and one gap does not deviate', () => {
    expect(valuesOf(spec.empty)).toEqual({ min_all: null, first_all: null, last_all: null, gap_std: null });
    expect(valuesOf(fold([order('a', {})])).gap_std).toBeNull();
    expect(valuesOf(fold([order('a', {}), order('b', {}, START_MS + DAY_MS)])).gap_std).toBe(0);
    const gaps = [0, 1, 4].map((day) => order(`d${day}`, {}, START_MS + day * DAY_MS));
    expect(valuesOf(fold(gaps)).gap_std).toBe(1);
  });

  it('keep the newest times beyond the limit, in any order and merged', () => {
    const events = Array.from({ length: RECENT_TIMES_MAX + 100 }, (_, i) =>
      order(`m${i}`, {}, START_MS + ((i * 7919) % 1_009) ** 2),
    );
    const state = fold(events);
    const last = state.slots.at(-1);
    expect(last).toHaveLength(RECENT_TIMES_MAX);
    expect(fold(events.toReversed()).slots.at(-1)).toEqual(last);
    expect(spec.merge(fold(events.slice(0, 300)), fold(events.slice(300))).slots.at(-1)).toEqual(last);
  });
});

describe('active days over the life', () => {
  const spec = compileFeatures(AGGREGATION_FEATURES.filter(({ name }) => name === 'active_all'));

  it('are the newest ones beyond the limit, in any order of events', () => {
    const events = Array.from({ length: ACTIVE_DAYS_MAX + 3 }, (_, i) =>
      order(`m${i}`, {}, START_MS - ((i * 7) % (ACTIVE_DAYS_MAX + 3)) * DAY_MS),
    );
    const fold = (some: readonly FeatureEvent[]) =>
      some.reduce<EngineState>((state, event) => spec.apply(state, event).state, spec.empty);
    const state = fold(events);
    expect(spec.vector(state, START_MS).values).toEqual([ACTIVE_DAYS_MAX]);
    expect(state.slots).toEqual(fold(events.toReversed()).slots);
    const [left, right] = [fold(events.slice(0, 2_000)), fold(events.slice(2_000))];
    expect(spec.merge(left, right).slots).toEqual(state.slots);
  });
});

function order(messageId: string, properties: object, timestampMs = START_MS): FeatureEvent {
  return { messageId, type: 'track', name: 'Order Completed', timestampMs, properties };
}

function foldHistory(spec: Spec, seed: number): EngineState {
  let state = spec.empty;
  for (const { advanceToMs, event } of toGoldenHistory(seed)) {
    if (advanceToMs !== undefined) state = spec.advance(state, advanceToMs);
    state = spec.apply(state, event).state;
  }
  return state;
}

function problemsOf(features: readonly unknown[]): readonly string[] {
  const parsed = parseFeatureSpec(Buffer.from(JSON.stringify({ version: 1, features })));
  return parsed.ok ? [] : parsed.problems;
}
