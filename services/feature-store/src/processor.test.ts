import { describe, expect, it } from '@jest/globals';
import { INITIAL_RATES, parseRateTable, type RateTable } from '@perennial/commerce';
import { AcceptedEvent, AcceptedRecord, FeatureRecord, type FeaturesUpdated } from '@perennial/contracts';
import { requireValid } from '@perennial/expressions';
import { DAY_MS, ECOMMERCE_FEATURES, FeatureSpecs, HOUR_MS } from '@perennial/feature-engine';
import { INITIAL_RULES } from '@perennial/identity';
import { must } from '@perennial/kernel';
import type { Cause, StepResult } from '@perennial/keyed-processor';
import { createMetrics } from '@perennial/telemetry';
import fc from 'fast-check';
import type { FeatureInput } from './domain/fold.js';
import type { ProfileState } from './domain/profile-state.js';
import { createFills } from './fill/fills.js';
import { createFeatureProcessor, decodeAccepted } from './processor.js';
import { createFeatureTelemetry } from './telemetry.js';

const SPECS = new FeatureSpecs(ECOMMERCE_FEATURES);
const NO_FILLS = createFills({ load: async () => Buffer.alloc(0) }, SPECS);
const NOON = Date.UTC(2024, 4, 15, 12);
const KEY = Buffer.from('a-profile-key-22-chars');

describe('feature processor', () => {
  it.each([
    ['a time before 1970', { timestampMs: -1 }],
    ['a time after 2100', { receivedAtMs: Date.UTC(2100, 0) + 1 }],
    ['a time after it was received', { timestampMs: NOON + 1 }],
    ['a time zone of any length', { timeZone: 'z'.repeat(256) }],
    ['a sealed id of any length', { subject: Buffer.alloc(2_049) }],
    ['an amount that is no number', { amount: Number.NaN }],
    ['an endless amount', { amount: Number.NEGATIVE_INFINITY }],
    ['an amount above the greatest', { amount: 1e9 + 1 }],
  ])('takes no event with %s: its state could not be stored', (_, fields) => {
    const value = { ...AcceptedEvent.decode(new Uint8Array()), timestampMs: NOON, receivedAtMs: NOON, ...fields };
    const bytes = Buffer.from(AcceptedRecord.encode({ record: { $case: 'event', value } }).finish());
    expect(() => decodeAccepted(KEY, bytes)).toThrow('event with a');
  });

  it('folds an event and emits the whole vector with the event', () => {
    const { step } = setUp();
    const { state, outputs } = step(
      undefined,
      event({ properties: { revenue: 12.5, products: [{ product_id: 'p' }] } }),
    );
    const update = toUpdate(outputs);
    expect(outputs.map(({ topic }) => topic)).toEqual(['lifecycle.feature.updated.v1']);
    expect(update).toMatchObject({
      specHash: SPECS.initial.specHash,
      asOfMs: NOON + 5,
      lastEventAtMs: NOON,
      timeZone: 'Europe/Berlin',
      event: { messageId: 'm1', type: 'track', name: 'Order Completed', timestampMs: NOON, value: 12.5 },
    });
    expect(update.subject).toEqual(Buffer.from('sealed'));
    expect(featureOf(update, 'orders_revenue_sum_all')).toBe(12.5);
    expect(featureOf(update, 'orders_recency_days')).toBe(5 / DAY_MS);
    expect(featureOf(update, 'orders_gap_mean_days')).toBeNaN();
    expect(must(state, 'state').validUntilMs).toBe(NOON + HOUR_MS + 7 * DAY_MS);
  });

  it('marks unknown revenue as NaN, not as zero', () => {
    const { step } = setUp();
    expect(toUpdate(step(undefined, event({})).outputs).event?.value).toBeNaN();
    expect(toUpdate(step(undefined, event({ type: 'page', name: 'Home' })).outputs).event?.value).toBeNaN();
  });

  it('drops a repeat: same state, no output, counted', async () => {
    const { step, metrics } = setUp();
    const first = step(undefined, event({}));
    const again = step(first.state, event({ receivedAtMs: NOON + HOUR_MS }), NOON + HOUR_MS);
    expect(again.state).toBe(first.state);
    expect(again.outputs).toEqual([]);
    expect(await metrics.registry.metrics()).toMatch(/features_events_repeated_total\{.*\} 1\n/);
  });

  it('wakes when a window moves past an event, and again until none is left', () => {
    const { definition, step } = setUp();
    let state = must(step(undefined, event({ properties: { revenue: 1 } })).state, 'state');
    const counts: Array<Array<number | undefined>> = [];
    for (let due = definition.codec.timerAtMs(state); due !== undefined; due = definition.codec.timerAtMs(state)) {
      const result = step(state, { kind: 'timer', dueAtMs: due }, due);
      const update = toUpdate(result.outputs);
      expect([update.asOfMs, update.event, update.lastEventAtMs]).toEqual([due, undefined, NOON]);
      counts.push(
        ['orders_count_7d', 'orders_count_30d', 'orders_count_90d', 'orders_count_365d'].map((n) =>
          featureOf(update, n),
        ),
      );
      state = must(result.state, 'state');
    }
    expect(counts).toEqual([
      [0, 1, 1, 1],
      [0, 0, 1, 1],
      [0, 0, 0, 1],
      [0, 0, 0, 0],
    ]);
  });

  it('never lets the time of a profile go back', () => {
    const { step } = setUp();
    const first = step(undefined, event({}), NOON + DAY_MS);
    const late = event({
      messageId: 'm2',
      timestampMs: NOON - 50 * DAY_MS,
      receivedAtMs: NOON + HOUR_MS,
      timeZone: 'Asia/Tokyo',
    });
    const update = toUpdate(step(first.state, late, 0).outputs);
    expect([update.asOfMs, update.lastEventAtMs, update.timeZone]).toEqual([NOON + DAY_MS, NOON, 'Europe/Berlin']);
    expect(featureOf(update, 'orders_count_30d')).toBe(1);
    expect(featureOf(update, 'orders_count_90d')).toBe(2);
  });

  it('keeps what a newer event does not tell', () => {
    const { step } = setUp();
    const first = step(undefined, event({}));
    const silent = event({
      messageId: 'm2',
      timestampMs: NOON + 1,
      receivedAtMs: NOON + 1,
      timeZone: '',
      subject: Buffer.alloc(0),
    });
    expect(toUpdate(step(first.state, silent).outputs)).toMatchObject({
      timeZone: 'Europe/Berlin',
      subject: Buffer.from('sealed'),
    });
  });

  it('does nothing on a timer of a profile that is gone', () => {
    expect(setUp().step(undefined, { kind: 'timer', dueAtMs: NOON }, NOON)).toEqual({ state: undefined, outputs: [] });
  });

  // Action identifies an update without an event by its time: two updates at one time would be one cause.
  it('never emits two updates of time alone with one time for a profile', () => {
    const happening = fc.record({
      kind: fc.constantFrom('event', 'tick', 'same tick'),
      gapMs: fc.constantFrom(0, 1, HOUR_MS, DAY_MS, 8 * DAY_MS, 31 * DAY_MS, 100 * DAY_MS),
      /** How far an event's arrival is ahead of the last tick, and how late it arrives. */
      aheadMs: fc.integer({ min: 0, max: 2 * HOUR_MS }),
      lateMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 40 * DAY_MS })),
    });
    const { definition, step } = setUp();
    let emitted = 0;
    fc.assert(
      fc.property(fc.array(happening, { minLength: 5, maxLength: 40 }), (happenings) => {
        let state: ProfileState | undefined;
        let logTimeMs = NOON;
        const times: number[] = [];
        happenings.forEach(({ kind, gapMs, aheadMs, lateMs }, index) => {
          if (kind === 'event') {
            const receivedAtMs = logTimeMs + aheadMs;
            const input = { messageId: `m${index}`, receivedAtMs, timestampMs: receivedAtMs - lateMs };
            state = step(state, event({ ...input, properties: { revenue: 1 } }), logTimeMs).state;
            return;
          }
          logTimeMs += kind === 'tick' ? gapMs : 0;
          const dueAtMs = state && definition.codec.timerAtMs(state);
          if (dueAtMs === undefined || dueAtMs > logTimeMs) return;
          const fired = step(state, { kind: 'timer', dueAtMs }, logTimeMs);
          state = fired.state;
          times.push(toUpdate(fired.outputs).asOfMs);
          expect(definition.codec.timerAtMs(must(state, 'state')) ?? Infinity).toBeGreaterThan(logTimeMs);
        });
        expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
        emitted += times.length;
      }),
    );
    // About a hundred are usual: none would mean that the test checked nothing.
    expect(emitted).toBeGreaterThan(10);
  });

  it('forwards ticks and rollouts, in its own topic and namespace', () => {
    const { definition } = setUp('or');
    expect(definition.inputTopic).toBe('or.lifecycle.event.accepted.v1');
    const rollout = { kind: 'policy', number: 3, hash: 'ab' };
    const tick = must(definition.forward({ kind: 'tick', timeMs: NOON }), 'tick');
    expect(tick.topic).toBe('or.lifecycle.feature.updated.v1');
    expect(FeatureRecord.decode(tick.value).record).toEqual({ $case: 'tick', value: { timeMs: NOON } });
    const handed = must(definition.forward({ kind: 'rollout', rollout }), 'rollout');
    expect(FeatureRecord.decode(handed.value).record).toEqual({ $case: 'rollout', value: rollout });
  });

  it('keeps a state through its bytes, and makes equal bytes of equal states', () => {
    const { definition, step } = setUp();
    const { state } = step(step(undefined, event({})).state, event({ messageId: 'm2', properties: { revenue: 3 } }));
    const bytes = definition.codec.encode(must(state, 'state'));
    expect(definition.codec.decode(bytes)).toEqual(state);
    expect(definition.codec.encode(definition.codec.decode(bytes)).equals(bytes)).toBe(true);
    expect(bytes.length).toBeLessThan(200);
  });

  it('throws on bytes that are no state', () => {
    const { definition, step } = setUp();
    const bytes = definition.codec.encode(must(step(undefined, event({})).state, 'state'));
    const broken = [
      Buffer.alloc(0),
      Buffer.from('garbage of some length'),
      bytes.subarray(0, -1),
      bytes.subarray(0, 13),
    ];
    for (const some of broken) expect(() => definition.codec.decode(some)).toThrow();
    const future = Buffer.from(bytes);
    future[0] = 9;
    expect(() => definition.codec.decode(future)).toThrow('this release reads 1');
  });
});

describe('records of event.accepted', () => {
  it('reads events, ticks and rollouts', () => {
    expect(decode({ $case: 'tick', value: { timeMs: 7 } }, null)).toEqual({ kind: 'tick', timeMs: 7 });
    const rollout = { kind: 'model', number: 1, hash: 'ff' };
    expect(decode({ $case: 'rollout', value: rollout }, null)).toEqual({ kind: 'rollout', rollout });
    const { event: accepted } = toRecord({ properties: { a: 1 } });
    expect(decode({ $case: 'event', value: accepted }, KEY)).toMatchObject({
      kind: 'record',
      key: String(KEY),
      input: { properties: { a: 1 }, event: { messageId: 'm1', timestampMs: NOON } },
    });
  });

  it.each([
    ['no value', KEY, null],
    ['an empty value', KEY, Buffer.alloc(0)],
    ['garbage', KEY, Buffer.from('{"json":true}')],
    ['a cut record', KEY, encode({ $case: 'event', value: toRecord({}).event }).subarray(0, -3)],
    ['an event without a key', null, encode({ $case: 'event', value: toRecord({}).event })],
    [
      'properties that are no JSON',
      KEY,
      encode({ $case: 'event', value: { ...toRecord({}).event, propertiesJson: Buffer.from('{') } }),
    ],
  ])('throws on %s', (_, key, value) => {
    expect(() => decodeAccepted(key, value)).toThrow();
  });

  it('leaves an event without id or with prototype keys to the step, which rejects or folds it', () => {
    const { step } = setUp();
    expect(() => step(undefined, event({ messageId: '' }))).toThrow(/message id/);
    const hostile = decodeAccepted(
      KEY,
      encode({
        $case: 'event',
        value: { ...toRecord({}).event, propertiesJson: Buffer.from('{"__proto__":{"revenue":5},"revenue":1}') },
      }),
    );
    if (hostile.kind !== 'record') throw new Error('not a record');
    const { outputs } = step(undefined, { kind: 'record', input: hostile.input });
    expect(featureOf(toUpdate(outputs), 'orders_revenue_sum_all')).toBe(1);
  });
});

describe('money', () => {
  const EUROS = requireValid(
    parseRateTable('{"version":1,"currency":"EUR","rates":{"USD":0.5,"JPY":[{"from":"2024-05-15","rate":0.01}]}}', {
      fileName: 'rates.yaml',
    }),
  );
  const orders = [
    { messageId: 'usd', amount: 10, currency: 'USD' },
    { messageId: 'jpy', amount: 1500, currency: 'JPY' },
    { messageId: 'old', amount: 1500, currency: 'JPY', timestampMs: NOON - 86_400_000 },
    { messageId: 'chf', amount: 9, currency: 'CHF' },
    { messageId: 'own', amount: 9, currency: '' },
    { messageId: 'odd', amount: 9, currency: 'QQQ' },
  ];

  it('is added up by the table in force; an unknown currency counts, in no sum, and is reported', async () => {
    const { step, metrics } = setUp();
    let state: ProfileState | undefined;
    const values: Array<number | undefined> = [];
    for (const fields of orders) {
      const result = step(state, event(fields), 0, EUROS);
      state = result.state;
      values.push(toUpdate(result.outputs).event?.value);
      if (fields === orders.at(-1)) {
        expect(featureOf(toUpdate(result.outputs), 'orders_count_all')).toBe(6);
        expect(featureOf(toUpdate(result.outputs), 'orders_revenue_sum_all')).toBe(5 + 15 + 9);
      }
    }
    expect(values).toEqual([5, 15, Number.NaN, Number.NaN, 9, Number.NaN]);
    const text = await metrics.registry.metrics();
    expect(text).toMatch(/features_amounts_unconverted_total\{.*currency="JPY".*\} 1/);
    expect(text).toMatch(/features_amounts_unconverted_total\{.*currency="CHF".*\} 1/);
    expect(text).toMatch(/features_amounts_unconverted_total\{.*currency="other".*\} 1/);
  });

  it('of an event older than every window are of the whole life only, and counted', async () => {
    const { step, metrics } = setUp();
    const first = step(undefined, event({}));
    const timestampMs = NOON - 367 * 24 * 3_600_000;
    const late = step(first.state, event({ messageId: 'm2', timestampMs }));
    expect(featureOf(toUpdate(late.outputs), 'orders_count_all')).toBe(2);
    expect(featureOf(toUpdate(late.outputs), 'orders_count_365d')).toBe(1);
    expect(await metrics.registry.metrics()).toMatch(/features_events_too_late_total\{.*\} 1/);
  });

  it('of an order that came before without it is announced as a change of the vector, not as a second order', async () => {
    const { step, metrics } = setUp();
    const properties = { order_id: '7' };
    const first = step(undefined, event({ properties }));
    const second = step(first.state, event({ messageId: 'm2', properties, amount: 5 }));
    expect(toUpdate(first.outputs).event).toMatchObject({ messageId: 'm1', value: Number.NaN });
    expect(toUpdate(second.outputs).event).toBeUndefined();
    expect(featureOf(toUpdate(second.outputs), 'orders_revenue_sum_all')).toBe(5);
    expect(step(second.state, event({ messageId: 'm3', properties, amount: 5 }))).toEqual({
      state: second.state,
      outputs: [],
    });
    const text = await metrics.registry.metrics();
    expect(text).toMatch(/features_orders_repeated_total\{.*result="completed".*\} 1/);
    expect(text).toMatch(/features_orders_repeated_total\{.*result="dropped".*\} 1/);
  });
});

function setUp(namespace = 'live') {
  const metrics = createMetrics({ service: 'feature-store', namespace, processMetrics: false });
  const definition = createFeatureProcessor({
    namespace,
    artifacts: {
      loadRollout: async () => undefined,
      rates: async () => INITIAL_RATES,
      identity: async () => INITIAL_RULES,
      fills: NO_FILLS,
    },
    telemetry: createFeatureTelemetry(metrics),
    specs: SPECS,
  });
  const step = (
    state: ProfileState | undefined,
    cause: Cause<FeatureInput>,
    logTimeMs = 0,
    rates: RateTable = INITIAL_RATES,
  ): StepResult<ProfileState> => {
    const context = { key: String(KEY), partition: 0, offset: 1, ordinal: 0, logTimeMs, inForce: new Map() };
    return definition.step({ state, cause, context }, { rates });
  };
  return { metrics, definition, step };
}

type EventFields = Partial<AcceptedEvent> & { properties?: unknown };

function toRecord({ properties = {}, ...fields }: EventFields): FeatureInput {
  const base: AcceptedEvent = {
    ...AcceptedEvent.decode(new Uint8Array()),
    messageId: 'm1',
    sourceId: 's',
    type: 'track',
    name: 'Order Completed',
    timestampMs: NOON,
    receivedAtMs: NOON + 5,
    subject: Buffer.from('sealed'),
    anonymous: false,
    propertiesJson: Buffer.from(JSON.stringify(properties)),
    timeZone: 'Europe/Berlin',
    currency: '',
    namedIds: [],
    forwardedTo: undefined,
  };
  return { event: { ...base, ...fields }, properties };
}

function event(fields: EventFields): Cause<FeatureInput> {
  return { kind: 'record', input: toRecord(fields) };
}

function toUpdate(outputs: StepResult<ProfileState>['outputs']): FeaturesUpdated {
  expect(outputs).toHaveLength(1);
  const { record } = FeatureRecord.decode(must(outputs[0], 'output').value);
  if (record?.$case !== 'updated') throw new Error('not an update');
  return record.value;
}

function featureOf(update: FeaturesUpdated, name: string): number | undefined {
  return update.values[SPECS.initial.names.indexOf(name)];
}

function encode(record: AcceptedRecord['record']): Buffer {
  return Buffer.from(AcceptedRecord.encode({ record }).finish());
}

function decode(record: AcceptedRecord['record'], key: Buffer | null) {
  return decodeAccepted(key, encode(record));
}
