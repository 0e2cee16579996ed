import fc from 'fast-check';
import type { AmountMeasure, EventFilter, FeatureDefinition } from './definition.js';
import type { FeatureEvent } from './event.js';
import { DAY_MS, HOUR_MS } from './time.js';

/** A spec, a history in the order of arrival, and when it is read. */
export interface Case {
  readonly definitions: readonly FeatureDefinition[];
  readonly events: readonly FeatureEvent[];
  /** What happens to the event at that index, modulo the length. */
  readonly sides: ReadonlyArray<{ readonly side: 0 | 1; readonly isAdvanced: boolean; readonly isStored: boolean }>;
  readonly atMs: number;
}

/** Two days before a leap day. */
const START_MS = Date.UTC(2024, 1, 27, 7, 33, 12, 345);
const BOUNDARIES = [0, 1, 5 * 60_000, HOUR_MS, DAY_MS, 7 * DAY_MS, 30 * DAY_MS, 365 * DAY_MS] as const;

/** Each is written a second time in the oracle, by its meaning. */
const CONDITIONS = [
  'properties.price > 100',
  '!(properties.price > 100)',
  'properties.sku in ["a", "b"] && has(properties.price)',
  'properties.sku != "a" || properties.cost == null',
  'properties.price - properties.cost > 0',
  'properties.price',
  'properties.sku.startsWith("ü")',
  'properties.ship.city == "Ulm"',
  'properties.channel == "email"',
  'context.device.type == "ios" && properties.price != null',
] as const;

/** None, both ends of the earth, half and quarter hours, clocks that change at midnight or by half an hour, one day of which was skipped. */
const ZONES = [
  undefined,
  '',
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Pacific/Kiritimati',
  'Pacific/Pago_Pago',
  'Africa/Cairo',
  'America/Asuncion',
  'Australia/Lord_Howe',
  '+05:30',
  '-11:00',
] as const;

const named: fc.Arbitrary<EventFilter> = fc.constantFrom<EventFilter>(
  { type: 'track', name: undefined },
  { type: 'track', name: 'bought' },
  { type: 'track', name: undefined, names: ['bought', 'seen'] },
  { type: 'page', name: undefined },
  { type: 'outcome', name: 'opened' },
  { type: 'outcome', name: undefined, names: ['bought', 'opened'] },
  { type: 'contact', name: undefined },
);
const filter: fc.Arbitrary<EventFilter | undefined> = fc.oneof(
  fc.constant(undefined),
  { weight: 3, arbitrary: named },
  { weight: 1, arbitrary: named.map((one) => ({ ...one, currency: 'EUR' })) },
  {
    weight: 2,
    arbitrary: fc.tuple(named, fc.constantFrom(...CONDITIONS)).map(([one, where]) => ({ ...one, where })),
  },
);
const matching = filter.map((one) => one ?? { type: 'track', name: undefined });
const windowMs = fc.constantFrom(1, 6, 12, 24, 72, 168, 720, 2_160, 8_760).map((hours) => hours * HOUR_MS);
const windowOrLife = fc.option(windowMs, { nil: undefined });
const measure: fc.Arbitrary<AmountMeasure> = fc.record({
  kind: fc.constant('amount' as const),
  properties: fc.constantFrom(['price'], ['cost', 'price']),
  absolute: fc.boolean(),
  outliers: fc.constantFrom(undefined, undefined, 'exclude' as const),
});
const ids = fc.record({
  kind: fc.constant('id' as const),
  properties: fc.constant(['sku']),
  list: fc.constantFrom(undefined, 'items'),
});

/** `unit` is never money: that is converted, which is commerce's to test. */
const BASE = { name: fc.constant(''), unit: fc.constant('units'), event: filter };
const kind = <T extends string>(aggregation: T) => fc.constant(aggregation);

const AMOUNTS = ['sum', 'mean', 'std', 'min', 'max', 'first', 'last'] as const;
const TIMES = ['days_since_first', 'days_since_last', 'gap_mean', 'gap_std', 'regularity'] as const;
const zone = fc.constantFrom(undefined, 'local' as const);
const quantile: fc.Arbitrary<number> = fc.constantFrom(0, 0.1, 0.25, 0.5, 0.9, 1);

const definition = fc.oneof<Array<fc.Arbitrary<FeatureDefinition>>>(
  fc.record({ ...BASE, aggregation: kind('count'), windowMs: windowOrLife }),
  fc.record({
    ...BASE,
    aggregation: fc.constantFrom(...AMOUNTS),
    measure,
    windowMs: windowOrLife,
  }),
  fc.record({ ...BASE, aggregation: kind('trend'), windowMs }),
  fc.record({ ...BASE, aggregation: kind('active_days'), zone, windowMs: windowOrLife }),
  fc.record({ ...BASE, aggregation: kind('distinct'), measure: ids, windowMs: windowOrLife }),
  fc.record({ ...BASE, aggregation: fc.constantFrom(...TIMES) }) as fc.Arbitrary<FeatureDefinition>,
  fc.record({ ...BASE, aggregation: kind('gap_quantile'), quantile }),
  fc.record({
    ...BASE,
    aggregation: fc.constantFrom('top_count' as const, 'top_share' as const),
    measure: ids,
    rank: fc.integer({ min: 1, max: 5 }),
    windowMs: windowOrLife,
  }),
  fc.record({ ...BASE, aggregation: kind('entropy'), measure: ids, windowMs: windowOrLife }),
  fc.record({
    ...BASE,
    aggregation: fc.constantFrom('streak' as const, 'longest_streak' as const),
    zone,
    windowMs: windowOrLife,
  }),
  fc.record({
    ...BASE,
    aggregation: fc.constantFrom('sessions_count' as const, 'session_length_mean' as const),
    gapMs: fc.constantFrom(1, 7, 30, 60, 720).map((minutes) => minutes * 60_000),
    windowMs,
  }),
  fc.record({ ...BASE, aggregation: kind('share'), matching, windowMs: windowOrLife }),
  fc.record({
    ...BASE,
    aggregation: kind('amount_share'),
    matching,
    measure,
    money: fc.constant(false),
    windowMs: windowOrLife,
  }),
  fc.record({
    ...BASE,
    aggregation: kind('hour_share'),
    hours: fc.constantFrom([7], [0, 8, 23]),
    zone,
    windowMs: windowOrLife,
  }),
  fc.record({
    ...BASE,
    aggregation: kind('weekday_share'),
    weekdays: fc.constantFrom([6, 7], [2], [1, 3, 4]),
    zone,
    windowMs: windowOrLife,
  }),
  fc.record({ ...BASE, aggregation: kind('decayed_count'), halfLifeMs: windowMs }),
  fc.record({ ...BASE, aggregation: kind('decayed_sum'), measure, halfLifeMs: windowMs }),
);

const definitions = fc.array(definition, { minLength: 1, maxLength: 8 }).map((drawn) => {
  const named = drawn.map((one, index) => ({ ...one, name: `f${index}` }));
  const ratio: FeatureDefinition = {
    name: 'ratio',
    unit: 'share',
    event: undefined,
    aggregation: 'ratio',
    numerator: 'f0',
    denominator: `f${named.length - 1}`,
  };
  return named.length > 1 ? [...named, ratio] : named;
});

const amount = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -99_999, max: 999_999 }).map((cents) => cents / 100) },
  fc.constantFrom(0, 0.00005, -0.00005, 1e9, -1e9, 1e9 + 1, '12.50', ' 7 ', '', 'n/a', null, true),
);
const sku = fc.constantFrom('a', 'b', 'c', 'ünï ✨', '__proto__', '', 7, null);

const properties = fc.record(
  {
    price: amount,
    cost: amount,
    sku,
    channel: fc.constantFrom('email', 'push', 7),
    items: fc.array(fc.record({ sku }), { maxLength: 3 }),
    ship: fc.constantFrom({ city: 'Ulm' }, { city: 7 }, 'Ulm', [{ city: 'Ulm' }]),
  },
  { requiredKeys: [] },
);

const step = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: HOUR_MS }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 20 * DAY_MS }) },
  { weight: 2, arbitrary: fc.constantFrom(...BOUNDARIES) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 400 * DAY_MS }) },
);

const drawnEvent = fc.record({
  type: fc.constantFrom('track', 'track', 'track', 'page', 'identify', 'outcome', 'contact', 'consent'),
  name: fc.constantFrom('bought', 'seen', '', 'opened'),
  properties,
  context: fc.constantFrom(undefined, { device: { type: 'ios' } }, { device: { type: 7 } }, { locale: 'ios' }),
  currency: fc.constantFrom('EUR', 'EUR', 'USD', undefined),
  timeZone: fc.constantFrom(...ZONES),
  outliers: fc.constantFrom(undefined, undefined, [], ['price'], ['cost'], ['cost', 'price']),
  stepMs: step,
  lateMs: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: step }),
});

const events = fc.array(drawnEvent, { maxLength: 25 }).map((drawn) => {
  let nowMs = START_MS;
  return drawn.map(({ stepMs, lateMs, ...event }, index): FeatureEvent => {
    nowMs += stepMs;
    return { ...event, messageId: `m${index}`, timestampMs: nowMs - lateMs };
  });
});

export const drawCase: fc.Arbitrary<Case> = fc
  .record({
    definitions,
    events,
    sides: fc.array(
      fc.record({ side: fc.constantFrom(0 as const, 1 as const), isAdvanced: fc.boolean(), isStored: fc.boolean() }),
      { minLength: 1, maxLength: 25 },
    ),
    laterMs: step,
  })
  .map(({ laterMs, ...drawn }) => ({
    ...drawn,
    // Never before a time that `advance` was given.
    atMs: Math.max(START_MS, ...drawn.events.map(({ timestampMs }) => timestampMs + HOUR_MS)) + laterMs,
  }));
