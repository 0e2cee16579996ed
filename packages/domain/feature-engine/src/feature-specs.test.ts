import { describe, expect, it } from '@jest/globals';
import { describeStateFormat } from '@perennial/contracts/contract-suite';
import fc from 'fast-check';
import { compileFeatures } from './compile.js';
import type { FeatureDefinition } from './definition.js';
import { describeMissing, FeatureSpecs } from './feature-specs.js';
import { toGoldenHistory } from './golden-histories-test-kit.js';
import { ECOMMERCE_FEATURES } from './presets/ecommerce.js';
import type { EngineState } from './state.js';
import { DAY_MS, HOUR_MS } from './time.js';

const preset = compileFeatures(ECOMMERCE_FEATURES);

const PAGE = { type: 'page', name: undefined };
const ADDED: readonly FeatureDefinition[] = [
  { name: 'pages_count_30d', unit: 'pages', event: PAGE, aggregation: 'count', windowMs: 30 * DAY_MS },
  { name: 'pages_count_2h', unit: 'pages', event: PAGE, aggregation: 'count', windowMs: 2 * HOUR_MS },
  { name: 'pages_recency_days', unit: 'days', event: PAGE, aggregation: 'days_since_last' },
  { name: 'events_count_180d', unit: 'events', event: undefined, aggregation: 'count', windowMs: 180 * DAY_MS },
];
/** In another order, so that no test can depend on the order. */
const grown = compileFeatures([...ADDED, ...ECOMMERCE_FEATURES.toReversed()]);

describeStateFormat({
  name: 'of the feature engine',
  format: preset,
  state: fc.nat(2_000).map((seed) => fold(preset, 10 * seed + 3)),
});

describe('a compiled spec', () => {
  it('shares accumulators between the features that need the same', () => {
    expect(preset.slots.map((key) => key.split('/', 2).join('/'))).toEqual([
      'totals',
      'times/{"filter":{"name":"Order Completed","type":"track"},"kind":"count"}',
      'tiles/3600000',
      'tiles/86400000',
      'distinct/86400000',
    ]);
  });

  it('has a hash of each definition that names and neighbours do not change, and one of the whole that both do', () => {
    const renamed = compileFeatures(ECOMMERCE_FEATURES.map((feature) => ({ ...feature, name: `x_${feature.name}` })));
    expect(renamed.features.map(({ hash }) => hash)).toEqual(preset.features.map(({ hash }) => hash));
    expect(new Set(preset.features.map(({ hash }) => hash)).size).toBe(ECOMMERCE_FEATURES.length);
    const specs = [
      renamed,
      grown,
      preset,
      compileFeatures(ECOMMERCE_FEATURES.slice(1)),
      compileFeatures(ECOMMERCE_FEATURES.toReversed()),
    ];
    expect(new Set(specs.map(({ specHash }) => specHash)).size).toBe(specs.length);
  });

  it('gives a feature the same bits whatever other features there are, and in whatever order', () => {
    for (const seed of [3, 13, 23, 33]) {
      const [alone, together] = [fold(preset, seed), fold(grown, seed)];
      expect(grown.toMap(grown.vector(together, together.asOfMs).values)).toMatchObject(
        preset.toMap(preset.vector(alone, alone.asOfMs).values),
      );
    }
  });

  it('does not take the state of another spec for its own', () => {
    const state = fold(preset, 3);
    expect(() => grown.vector(state, state.asOfMs)).toThrow('under the spec that made it');
    expect(() => grown.encode(state)).toThrow('under the spec that made it');
    expect(() => grown.decode(preset.encode(state))).toThrow('made under spec');
  });
});

describe('a state under a spec that came into force after it', () => {
  it('goes on with what both specs keep, bit for bit, and begins empty with what is new', () => {
    for (const seed of [3, 13, 23, 33, 43]) {
      const before = fold(preset, seed);
      const adopted = grown.adopt(preset, before);
      const values = grown.toMap(grown.vector(adopted, before.asOfMs).values);
      expect(values).toMatchObject(preset.toMap(preset.vector(before, before.asOfMs).values));
      expect(values).toMatchObject({ pages_count_30d: 0, pages_count_2h: 0, pages_recency_days: null });
      expect(grown.encode(grown.decode(grown.encode(adopted))).equals(grown.encode(adopted))).toBe(true);
    }
  });

  it('counts in a longer window what the tiles of before still hold', () => {
    const before = fold(preset, 13);
    const { values } = grown.vector(grown.adopt(preset, before), before.asOfMs);
    const expected = grown.vector(fold(grown, 13), before.asOfMs).values;
    const place = grown.names.indexOf('events_count_180d');
    // The preset keeps a year of days for its longest window, so nothing is missing here.
    expect(values[place]).toBe(expected[place]);
  });

  it('keeps no tile in which nothing of the new spec happened', () => {
    const orders = compileFeatures(ECOMMERCE_FEATURES.filter(({ name }) => name.startsWith('orders_count')));
    for (const seed of [3, 23, 53]) {
      const adopted = orders.adopt(preset, fold(preset, seed));
      expect(orders.encode(adopted).equals(orders.encode(fold(orders, seed)))).toBe(true);
    }
  });

  it('comes back without what the smaller spec never kept, and nothing else lost', () => {
    const state = fold(grown, 23);
    expect(preset.encode(preset.adopt(grown, state)).equals(preset.encode(fold(preset, 23)))).toBe(true);
  });

  it('folds on like a state that was always under it, but for what is new', () => {
    const steps = toGoldenHistory(53);
    const half = Math.floor(steps.length / 2);
    const first = foldSteps(preset, preset.empty, steps.slice(0, half));
    const state = foldSteps(grown, grown.adopt(preset, first), steps.slice(half));
    const whole = foldSteps(preset, preset.empty, steps);
    expect(preset.encode(preset.adopt(grown, state)).equals(preset.encode(whole))).toBe(true);
  });
});

describe('the specs that a process knows', () => {
  const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
  const kept = specs.add('artifact-1', grown.definitions);

  it('finds them by rollout, by hash and by tag', () => {
    expect(specs.inForce(undefined).specHash).toBe(preset.specHash);
    expect(specs.inForce({ hash: 'artifact-1' })).toBe(kept);
    expect(specs.get(grown.specHash)).toBe(kept);
    expect(specs.find('f'.repeat(64))).toBeUndefined();
    expect(() => specs.get('f'.repeat(64))).toThrow('of which no artifact is registered');
    expect(() => specs.expandTag(7)).toThrow('of which no artifact is registered');
  });

  it('reads a state under the spec that made it', () => {
    expect(specs.decode(grown.encode(fold(grown, 3))).specHash).toBe(grown.specHash);
    expect(specs.decode(preset.encode(fold(preset, 3))).specHash).toBe(preset.specHash);
    const foreign = compileFeatures(ADDED);
    expect(() => specs.decode(foreign.encode(foreign.empty))).toThrow('of which no artifact is registered');
  });

  it('gives the values of a vector by the names of another spec, moved in time under the spec that made them', () => {
    const state = fold(preset, 13);
    const values = preset.vector(state, state.asOfMs).values.map((value) => value ?? Number.NaN);
    const vector = { specHash: preset.specHash, asOfMs: state.asOfMs, values };
    const later = specs.toValues(vector, kept, state.asOfMs + 12_345);
    const moved = preset.advanceClock(values, { fromMs: state.asOfMs, toMs: state.asOfMs + 12_345 });
    for (const [place, name] of grown.names.entries()) {
      const before = preset.names.indexOf(name);
      expect(later[place]).toBe(before < 0 ? Number.NaN : moved[before]);
    }
    expect(specs.toValues(vector, specs.initial, state.asOfMs)).toBe(values);
  });

  it('tells what a model or another spec would miss', () => {
    expect(describeMissing(preset.features, grown)).toBeUndefined();
    const redefined = { ...(ECOMMERCE_FEATURES[0] as FeatureDefinition), unit: 'baskets' };
    const other = compileFeatures([redefined, ...ECOMMERCE_FEATURES.slice(2)]);
    expect(describeMissing(preset.features, other)).toBe(
      'orders_count_7d (there is one of that name with another definition), orders_count_30d',
    );
  });
});

function fold(spec: typeof preset, seed: number): EngineState {
  return foldSteps(spec, spec.empty, toGoldenHistory(seed));
}

function foldSteps(spec: typeof preset, from: EngineState, steps: ReturnType<typeof toGoldenHistory>): EngineState {
  let state = from;
  for (const { advanceToMs, event } of steps) {
    if (advanceToMs !== undefined) state = spec.advance(state, advanceToMs);
    state = spec.apply(state, event).state;
  }
  return state;
}
