import { describe, expect, it } from '@jest/globals';
import { compileFeatures } from './compile.js';
import { KEPT_OUT_MAX } from './corrections/kept-out.js';
import type { AmountMeasure, FeatureDefinition } from './definition.js';
import type { FeatureEvent } from './event.js';
import { requireFeatureFile } from './feature-file.js';
import { toOutlierBytesMax } from './state-bound.js';
import { HOUR_MS } from './time.js';

const START_MS = Date.UTC(2024, 5, 1);
const calm: AmountMeasure = { kind: 'amount', properties: ['revenue'], absolute: false, outliers: 'exclude' };
const all: AmountMeasure = { kind: 'amount', properties: ['revenue'], absolute: false };
const ORDERS = { event: { type: 'track', name: 'Order Completed' }, windowMs: undefined } as const;
const DEFINITIONS: readonly FeatureDefinition[] = [
  { ...ORDERS, name: 'orders', unit: 'orders', aggregation: 'count' },
  { ...ORDERS, name: 'sum', unit: 'currency', aggregation: 'sum', measure: all },
  { ...ORDERS, name: 'calm_sum', unit: 'currency', aggregation: 'sum', measure: calm },
  { ...ORDERS, name: 'calm_mean', unit: 'units', aggregation: 'mean', measure: { ...calm, properties: ['paid'] } },
];
const RULES = { corrections: { keep: 4, cancelled: ['Order Cancelled'] } };
const spec = compileFeatures(DEFINITIONS, RULES);

function order(hour: number, amount: number, more: Partial<FeatureEvent> = {}): FeatureEvent {
  return {
    messageId: `m${hour}`,
    type: 'track',
    name: 'Order Completed',
    timestampMs: START_MS + hour * HOUR_MS,
    properties: { order_id: `o${hour}`, revenue: amount, paid: amount },
    worth: amount,
    currency: 'EUR',
    timeZone: '',
    ...more,
  };
}

const fold = (events: readonly FeatureEvent[]) =>
  events.reduce((state, event) => spec.decode(spec.encode(spec.apply(state, event).state)), spec.empty);
const valuesOf = (state: ReturnType<typeof fold>) => spec.toMap(spec.vector(state, state.asOfMs).values);

describe('outliers', () => {
  const far = order(2, 900, { outliers: ['paid', 'revenue'] });

  it('are in no sum that leaves them out, and in all others', () => {
    expect(valuesOf(fold([order(0, 10), order(1, 20), far]))).toEqual({
      orders: 3,
      sum: 930,
      calm_sum: 30,
      calm_mean: 15,
    });
  });

  it('are those of the property that the amount is read from, also where that is what an order is worth', () => {
    const properties = { order_id: 'o3', total: 700, paid: 30 };
    const total = order(3, 700, { properties, outliers: ['total'] });
    expect(valuesOf(fold([order(0, 10), total]))).toEqual({ orders: 2, sum: 710, calm_sum: 10, calm_mean: 20 });
    const other = order(3, 700, { outliers: ['total'] });
    expect(valuesOf(fold([other]))).toMatchObject({ calm_sum: 700 });
  });

  it('subtract nothing when they are taken back, by a record or by a cancellation', () => {
    const state = fold([order(0, 10), far, order(3, 40)]);
    const { outliers: _, ...sent } = far;
    const taken = spec.takeBack(state, {
      messageId: 'm2',
      counted: { event: sent, added: 'all' },
      receivedAtMs: state.asOfMs,
    });
    expect(taken).toMatchObject({
      result: 'taken_back',
      cannot: [],
      takenBack: [{ event: { outliers: ['paid', 'revenue'] } }],
    });
    const without = { orders: 2, sum: 50, calm_sum: 50, calm_mean: 25 };
    expect(valuesOf(taken.state)).toEqual(without);
    expect(valuesOf(spec.retract(state, sent).state)).toEqual(without);
    const cancel = order(5, 0, { name: 'Order Cancelled', properties: { order_id: 'o2' }, worth: undefined });
    expect(valuesOf(spec.apply(state, cancel).state)).toEqual(without);
  });

  it('are remembered within a bound; what is older may be in a sum or not, which is said', () => {
    // The longest ids, of characters that JSON escapes.
    const toId = (hour: number) => '"'.repeat(95) + hour;
    const many = Array.from({ length: KEPT_OUT_MAX + 1 }, (_, hour) => order(hour, 900, { messageId: toId(hour) }));
    const state = many.reduce(
      (before, event) => spec.apply(before, { ...event, outliers: ['revenue'] }).state,
      spec.empty,
    );
    expect(spec.retract(state, must(many[0])).cannot).toEqual(['calm_sum', 'calm_mean']);
    expect(spec.retract(state, must(many[1])).cannot).toEqual([]);
    const { corrections: _, ...bare } = state;
    const bytes =
      spec.encode({ ...state, corrections: { ...must(state.corrections), kept: [] } }).length -
      spec.encode(bare).length;
    expect(bytes).toBeGreaterThan(KEPT_OUT_MAX * 20);
    expect(bytes).toBeLessThan(toOutlierBytesMax(DEFINITIONS));
  });

  it('leave the bytes of a spec without the rule as they were', () => {
    const plain = compileFeatures(DEFINITIONS.slice(0, 2));
    const { outliers: _, ...sent } = far;
    expect(plain.encode(plain.apply(plain.empty, far).state)).toEqual(
      plain.encode(plain.apply(plain.empty, sent).state),
    );
  });

  it('are asked for in the file of a spec', () => {
    const yaml = (rule: string) =>
      `version: 1\nfeatures:\n  paid: { unit: units, aggregation: sum, measure: { kind: amount, properties: [paid], outliers: ${rule} } }\n`;
    const { definitions } = requireFeatureFile(Buffer.from(yaml('exclude')), 'spec.yaml');
    expect(definitions[0]).toMatchObject({ measure: { outliers: 'exclude' } });
    expect(() => requireFeatureFile(Buffer.from(yaml('drop')), 'spec.yaml')).toThrow('must be "exclude", it is "drop"');
  });
});

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('nothing');
  return value;
}
