import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compileFeatures } from './compile.js';
import type { FeatureRules } from './definition.js';
import type { FeatureEvent } from './event.js';
import { requireFeatureFile } from './feature-file.js';
import { createOrderLabels } from './order-labels.js';
import { ECOMMERCE_FEATURES } from './presets/ecommerce.js';
import type { EngineState } from './state.js';

const track = (messageId: string, name: string, properties: object = {}, timestampMs = 1): FeatureEvent => ({
  messageId,
  type: 'track',
  name,
  properties,
  timestampMs,
});

function readPreset(name: string) {
  const file = new URL(`../../../../infra/presets/${name}/features.yaml`, import.meta.url);
  return requireFeatureFile(readFileSync(file), 'features.yaml');
}

/** Sums of all changes, beside what the two features say in the end. */
function compare(
  { definitions, rules }: { definitions: Parameters<typeof compileFeatures>[0]; rules: FeatureRules },
  events: readonly FeatureEvent[],
) {
  const spec = compileFeatures(definitions, rules);
  const toOrders = createOrderLabels(spec);
  const labels = { orders: 0, revenue: 0 };
  let state: EngineState = spec.empty;
  for (const event of events) {
    const result = spec.apply(state, event);
    state = result.state;
    for (const { orders, revenue } of toOrders(event, result)) {
      labels.orders += orders;
      labels.revenue += revenue;
    }
  }
  const { orders_count_all: orders, orders_revenue_sum_all: revenue } = spec.toMap(spec.vector(state, 10).values);
  return { labels, features: { orders, revenue } };
}

describe('orders of labels', () => {
  it.each([
    ['ecommerce', 'Order Completed', 'revenue'],
    ['saas', 'Invoice Paid', 'amount_paid'],
    ['knowledge', 'Course Purchased', 'price'],
    ['media', 'Invoice Paid', 'amount'],
  ])('are what the preset %s counts: %s with its %s', (preset, name, property) => {
    const events = [
      track('m1', name, { [property]: 9.5 }),
      track('m1', name, { [property]: 9.5 }),
      track('m2', 'Order Completed', { order_id: '7' }),
      track('m3', 'Order Completed', { order_id: '7', revenue: 3 }),
      track('m4', 'Order Completed', { order_id: '7', revenue: 3 }),
      track('m5', 'Lesson Completed', { [property]: 100 }),
    ];
    const { labels, features } = compare(readPreset(preset), events);
    expect(labels).toEqual({ orders: 2, revenue: 12.5 });
    expect(labels).toEqual(features);
  });

  it('are only those of a condition, of the same object too', () => {
    const definitions = ECOMMERCE_FEATURES.map((one) =>
      one.event?.name === 'Order Completed'
        ? { ...one, event: { ...one.event, where: 'properties.web == true' } }
        : one,
    );
    const { labels, features } = compare({ definitions, rules: {} }, [
      track('m1', 'Order Completed', { revenue: 3, web: true }),
      track('m2', 'Order Completed', { revenue: 4, web: false }),
    ]);
    expect(labels).toEqual({ orders: 1, revenue: 3 });
    expect(labels).toEqual(features);
  });

  it('are not those that are taken back, which lose what they had at their own time', () => {
    const rules = { corrections: { keep: 8, cancelled: ['Order Cancelled'] } };
    const events = [
      track('m1', 'Order Completed', { order_id: '7', revenue: 50 }),
      track('m2', 'Order Completed', { order_id: '7', revenue: 20, version: 2 }, 2),
      track('m3', 'Order Completed', { order_id: '8' }, 3),
      track('m4', 'Order Completed', { order_id: '8', revenue: 5 }, 4),
      track('m5', 'Order Cancelled', { order_id: '8' }, 5),
      track('m6', 'Order Cancelled', { order_id: '9' }, 6),
      track('m7', 'Order Completed', { order_id: '9', revenue: 70 }, 7),
    ];
    const { labels, features } = compare({ definitions: ECOMMERCE_FEATURES, rules }, events);
    expect(labels).toEqual({ orders: 1, revenue: 20 });
    expect(labels).toEqual(features);

    const spec = compileFeatures(ECOMMERCE_FEATURES, rules);
    const first = spec.apply(spec.empty, events[0] as FeatureEvent);
    const second = events[1] as FeatureEvent;
    expect(createOrderLabels(spec)(second, spec.apply(first.state, second))).toEqual([
      { timestampMs: 2, orders: 1, revenue: 20 },
      { timestampMs: 1, orders: -1, revenue: -50 },
    ]);
  });

  it('add up to the two features, whatever is bought, repeated, edited and cancelled', () => {
    const event = fc.record({
      name: fc.constantFrom('Order Completed', 'Order Completed', 'Order Cancelled', 'Order Refunded'),
      message: fc.integer({ min: 0, max: 12 }),
      order_id: fc.constantFrom('7', '8', '9', undefined),
      revenue: fc.constantFrom(undefined, 0.1, 2.5, -1, 40),
      version: fc.constantFrom(undefined, 1, 2),
      timestampMs: fc.integer({ min: 1, max: 9 }),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 15 }), fc.constantFrom(undefined, 1, 8), (drawn, keep) => {
        const rules = keep === undefined ? {} : { corrections: { keep, cancelled: ['Order Cancelled'] } };
        const events = drawn.map(({ name, message, timestampMs, ...properties }) =>
          track(`m${message}`, name, properties, timestampMs),
        );
        const { labels, features } = compare({ definitions: ECOMMERCE_FEATURES, rules }, events);
        expect(labels.orders).toBe(features.orders);
        expect(labels.revenue).toBeCloseTo(Number(features.revenue), 9);
      }),
      { seed: 7, numRuns: 500 },
    );
  });

  it('need the two features: all that is wrong with a spec is said', () => {
    const [count] = ECOMMERCE_FEATURES;
    const create = (names: readonly string[]) =>
      createOrderLabels(
        compileFeatures(
          names.map((name) => ({ name, unit: 'x', event: count?.event, aggregation: 'count', windowMs: undefined })),
        ),
      );
    expect(() => create(['visits'])).toThrow(
      /^labels are orders .*\n- it has no feature orders_count_all .*\n- it has no feature orders_revenue_sum_all /,
    );
    expect(() => create(['orders_count_all', 'orders_revenue_sum_all'])).toThrow(
      /\n- its feature orders_revenue_sum_all is a count, and must be a sum$/,
    );
  });
});
