import { describe, expect, it } from '@jest/globals';
import { STRETCHES_MAX } from './accumulators/sessions.js';
import { compileFeatures } from './compile.js';
import type { FeatureEvent } from './event.js';
import { parseFeatureSpec } from './spec-file.js';
import { DAY_MS, HOUR_MS } from './time.js';

const START_MS = Date.UTC(2024, 2, 1);

/** Values by name, one time after the last of some events of a type `track` and the name `a`. */
function valuesOf(features: readonly object[], events: ReadonlyArray<Partial<FeatureEvent>>, laterMs = 0) {
  const parsed = parseFeatureSpec(Buffer.from(JSON.stringify({ version: 1, features })));
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'));
  const spec = compileFeatures(parsed.definitions);
  let state = spec.empty;
  events.forEach((event, i) => {
    const full = { messageId: `m${i}`, type: 'track', name: 'a', timestampMs: START_MS, properties: {}, ...event };
    state = spec.apply(state, full).state;
  });
  return spec.toMap(spec.vector(state, state.asOfMs + laterMs).values);
}

function problemsOf(...features: readonly object[]): readonly string[] {
  const named = features.map((feature, index) => ({ name: `f${index}`, unit: 'x', ...feature }));
  const parsed = parseFeatureSpec(Buffer.from(JSON.stringify({ version: 1, features: named })));
  return parsed.ok ? [] : parsed.problems;
}

/** Events at some times in units of hours after the start. */
const atHours = (...hours: readonly number[]) => hours.map((hour) => ({ timestampMs: START_MS + hour * HOUR_MS }));
const atDays = (...days: readonly number[]) => atHours(...days.map((day) => 24 * day));

describe('quantiles of gaps', () => {
  const gap = (quantile: number, name = 'x') => ({ name, unit: 'days', aggregation: 'gap_quantile', quantile });

  it('lie on the line between the two closest', () => {
    const events = atDays(0, 1, 3, 6, 10);
    expect(valuesOf([gap(0, 'a'), gap(0.5, 'b'), gap(0.9, 'c'), gap(1, 'd')], events)).toEqual({
      a: 1,
      b: 2.5,
      c: 3.7,
      d: 4,
    });
    expect(valuesOf([gap(0.3)], atDays(0, 2))).toEqual({ x: 2 });
    expect(valuesOf([gap(0.3)], atDays(0))).toEqual({ x: null });
  });

  it('need a share', () => {
    const aggregation = 'gap_quantile';
    expect(problemsOf({ aggregation }, { aggregation, quantile: 1.01 }, { aggregation, quantile: '0.5' })).toEqual([
      'features[0].quantile: must be a number from 0 to 1, it is missing',
      'features[1].quantile: must be a number from 0 to 1, it is 1.01',
      'features[2].quantile: must be a number from 0 to 1, it is "0.5"',
    ]);
  });
});

describe('regularity', () => {
  const features = [{ name: 'x', unit: 'score', aggregation: 'regularity' }];

  it('is 1 for a clock, less for chance, and least for bursts', () => {
    expect(valuesOf(features, atDays(0, 7, 14, 21))).toEqual({ x: 1 });
    // Gaps of 1 and 3: mean 2, deviation 1.
    expect(valuesOf(features, atDays(0, 1, 4))).toEqual({ x: 1 / 3 });
    const burst = [...Array.from({ length: 400 }, (_, i) => i / 1_000), 9_000];
    expect(valuesOf(features, atHours(...burst)).x).toBeLessThan(-0.9);
  });

  it('is unknown of one gap and of no time', () => {
    expect(valuesOf(features, atDays(0, 7))).toEqual({ x: null });
    expect(valuesOf(features, atDays(7, 7, 7))).toEqual({ x: null });
  });
});

describe('decaying counts and sums', () => {
  const measure = { kind: 'amount', properties: ['price'] };
  const features = [
    { name: 'count', unit: 'events', aggregation: 'decayed_count', halfLife: '8h' },
    { name: 'sum', unit: 'units', aggregation: 'decayed_sum', halfLife: '8h', measure },
  ];
  const events = atHours(0, 8).map((event) => ({ ...event, properties: { price: 10 } }));

  it('halve with every half-life, in steps of an eighth', () => {
    expect(valuesOf(features, events)).toEqual({ count: 1.5, sum: 15 });
    expect(valuesOf(features, events, HOUR_MS - 1)).toEqual({ count: 1.5, sum: 15 });
    expect(valuesOf(features, events, HOUR_MS).sum).toBeCloseTo(15 * 2 ** (-1 / 8), 12);
    expect(valuesOf(features, events, 16 * HOUR_MS)).toEqual({ count: 0.375, sum: 3.75 });
    expect(valuesOf(features, events, 127 * HOUR_MS).count).toBeGreaterThan(0);
    expect(valuesOf(features, events, 128 * HOUR_MS)).toEqual({ count: 0, sum: 0 });
    expect(valuesOf(features, [])).toEqual({ count: 0, sum: 0 });
  });

  it('need a half-life of 1h to 365d, and no window', () => {
    const aggregation = 'decayed_count';
    expect(
      problemsOf({ aggregation }, { aggregation, halfLife: '30m' }, { aggregation, halfLife: '7d', window: '7d' }),
    ).toEqual([
      'features[0].halfLife: must be from "1h" to "365d", it is missing',
      'features[1].halfLife: must be from "1h" to "365d", it is "30m"',
      'features[2].window: is an unknown key',
    ]);
  });
});

describe('shares', () => {
  const measure = { kind: 'amount', properties: ['price'] };
  const bought = { type: 'track', name: 'bought' };

  it('are of events and of amounts, and null of nothing', () => {
    const features = [
      { name: 'share', unit: 'share', aggregation: 'share', matching: bought },
      { name: 'amounts', unit: 'share', aggregation: 'amount_share', matching: bought, measure, window: '1d' },
    ];
    const events = [
      { name: 'bought', properties: { price: 3 } },
      { name: 'seen', properties: { price: 1 } },
      { name: 'seen' },
      { type: 'page', name: 'bought' },
    ];
    expect(valuesOf(features, events)).toEqual({ share: 0.25, amounts: 0.75 });
    expect(valuesOf(features, events, 3 * 24 * HOUR_MS)).toEqual({ share: 0.25, amounts: null });
    expect(valuesOf(features, [])).toEqual({ share: null, amounts: null });
    expect(valuesOf(features, [{ name: 'bought' }])).toEqual({ share: 1, amounts: null });
  });

  it('of a filter with a condition test it for each event', () => {
    const matching = { type: 'track', where: 'properties.price > 2' };
    const events = [1, 2, 3, 4].map((price) => ({ properties: { price } }));
    const event = { type: 'track' };
    expect(valuesOf([{ name: 'x', unit: 'share', aggregation: 'share', event, matching }], events)).toEqual({ x: 0.5 });
  });

  it('are of hours and weekdays in UTC', () => {
    const features = [
      { name: 'night', unit: 'share', aggregation: 'hour_share', hours: [23, 0] },
      { name: 'friday', unit: 'share', aggregation: 'weekday_share', weekdays: [5] },
    ];
    // The start is a Friday.
    expect(valuesOf(features, atHours(0, 0.99, 1, 22.9, 23, 24, 48, 72))).toEqual({ night: 0.75, friday: 0.625 });
    expect(valuesOf(features, [{ timestampMs: -1 }])).toEqual({ night: 1, friday: 0 });
  });

  it('report all that is wrong with them', () => {
    expect(
      problemsOf(
        { aggregation: 'share' },
        { aggregation: 'amount_share', matching: { type: 'page', nam: 'x' }, money: 'yes' },
        { aggregation: 'hour_share', hours: [24] },
        { aggregation: 'weekday_share', weekdays: [1, 2, 3, 4, 5, 6, 7] },
      ),
    ).toEqual([
      'features[0].matching: is missing: it says which of the events are the part',
      'features[1].matching.nam: is an unknown key, did you mean "name"?',
      'features[1].measure: is missing',
      'features[1].money: must be true or false, it is "yes"',
      'features[2].hours: must be a list of different whole numbers from 0 to 23, not all of them, it is [24]',
      'features[3].weekdays: must be a list of different whole numbers from 1 to 7, not all of them, it is [1,2,3,4,5,6,7]',
    ]);
  });

  it('of money read the amounts that a sum of money reads', () => {
    const share = { aggregation: 'amount_share', matching: bought, measure };
    expect(problemsOf({ aggregation: 'sum', measure, unit: 'currency' }, share, { ...share, money: true })).toEqual([
      'features[1].money: features[0] reads the same measure, so both must be money, or neither',
    ]);
  });
});

describe('streaks', () => {
  const features = [
    { name: 'streak', unit: 'days', aggregation: 'streak' },
    { name: 'longest', unit: 'days', aggregation: 'longest_streak' },
    { name: 'week', unit: 'days', aggregation: 'longest_streak', window: '7d' },
  ];
  const events = atDays(0, 1, 2, 3, 7, 8, 8.9);

  it('go on until a day has passed without an event', () => {
    expect(valuesOf(features, events)).toEqual({ streak: 2, longest: 4, week: 3 });
    expect(valuesOf(features, events, DAY_MS)).toEqual({ streak: 2, longest: 4, week: 2 });
    expect(valuesOf(features, events, 2 * DAY_MS)).toEqual({ streak: 0, longest: 4, week: 2 });
    expect(valuesOf(features, [])).toEqual({ streak: 0, longest: 0, week: 0 });
  });

  it('have windows of whole days', () => {
    expect(problemsOf({ aggregation: 'streak', window: '12h' })).toEqual([
      'features[0].window: must be from "1d" to "365d", it is "12h"',
    ]);
  });
});

describe('sessions', () => {
  const features = (gap?: string) => [
    { name: 'count', unit: 'sessions', aggregation: 'sessions_count', window: '2d', gap },
    { name: 'length', unit: 'seconds', aggregation: 'session_length_mean', window: '2d', gap },
  ];

  it('end where no event comes within the gap, in any order', () => {
    const events = atHours(0, 0.5, 1, 1.75, 20);
    expect(valuesOf(features(), events)).toEqual({ count: 3, length: 1_200 });
    expect(valuesOf(features('45m'), events.toReversed())).toEqual({ count: 2, length: 3_150 });
    expect(valuesOf(features('2h'), events)).toEqual({ count: 2, length: 3_150 });
    expect(valuesOf(features(), [])).toEqual({ count: 0, length: null });
  });

  it('that began before the window are cut', () => {
    const events = atHours(0.75, 1.2, 1.6);
    expect(valuesOf(features(), events, 47.4 * HOUR_MS)).toEqual({ count: 1, length: 1_440 });
    expect(valuesOf(features(), events, 48.4 * HOUR_MS)).toEqual({ count: 0, length: null });
  });

  it('are those of the newest stretches beyond the limit, in any order of events and merges', () => {
    const definition = { name: 'x', unit: 'x', event: undefined, aggregation: 'sessions_count' } as const;
    const spec = compileFeatures([{ ...definition, gapMs: HOUR_MS / 2, windowMs: 365 * DAY_MS }]);
    const count = STRETCHES_MAX + 501;
    const events = Array.from({ length: count }, (_, i): FeatureEvent => {
      const timestampMs = START_MS + ((i * 7) % count) * HOUR_MS;
      return { messageId: `m${i}`, type: 'track', name: 'a', timestampMs, properties: {} };
    });
    const fold = (some: readonly FeatureEvent[]) =>
      some.reduce((state, event) => spec.apply(state, event).state, spec.empty);
    const whole = fold(events);
    expect(spec.vector(whole, whole.asOfMs).values).toEqual([STRETCHES_MAX]);
    expect(spec.countEstimates(whole)).toBe(1);
    expect(fold(events.toReversed()).slots).toEqual(whole.slots);
    expect(spec.merge(fold(events.slice(0, 900)), fold(events.slice(900))).slots).toEqual(whole.slots);
  });

  it('need a window and a gap of 1m to 12h', () => {
    const aggregation = 'sessions_count';
    expect(problemsOf({ aggregation }, { aggregation, window: '7d', gap: '13h' })).toEqual([
      'features[0].window: is missing: this aggregation is for windows only',
      'features[1].gap: must be from "1m" to "12h", it is "13h"',
    ]);
  });
});
