import { describe, expect, it } from '@jest/globals';
import { compileFeatures, type FeatureDefinition, type FeatureEvent } from '@perennial/feature-engine';
import { createMetrics } from '@perennial/telemetry';
import { createFreshnessTelemetry } from './freshness-telemetry.js';

const event = { type: 'track', name: 'Order Completed' };
const paid = { kind: 'amount', properties: ['paid'], absolute: false } as const;
const skus = { kind: 'id', properties: ['sku'], list: undefined } as const;
const DEFINITIONS: readonly FeatureDefinition[] = [
  { name: 'orders', unit: 'orders', event, aggregation: 'count', windowMs: undefined },
  { name: 'recency', unit: 'days', event, aggregation: 'days_since_last' },
  { name: 'paid_sum', unit: 'units', event, aggregation: 'sum', measure: paid, windowMs: undefined },
  {
    name: 'large',
    unit: 'orders',
    event: { ...event, where: 'properties.paid > 50' },
    aggregation: 'count',
    windowMs: undefined,
  },
  { name: 'skus', unit: 'products', event, aggregation: 'distinct', measure: skus, windowMs: undefined },
];

describe('how fresh features are', () => {
  it('is the newest event that each took something of, set now and then', async () => {
    const metrics = createMetrics({ service: 's', namespace: 'n', processMetrics: false });
    let nowMs = 0;
    const observe = createFreshnessTelemetry(metrics, { steadyMs: () => nowMs });
    const spec = compileFeatures(DEFINITIONS);
    const take = (seconds: number, properties: unknown, name = event.name) => {
      const one: FeatureEvent = { messageId: 'm', type: 'track', name, timestampMs: seconds * 1_000, properties };
      observe(spec, one);
    };
    const read = async () =>
      Object.fromEntries(
        [
          ...(await metrics.registry.metrics()).matchAll(
            /^features_newest_event_timestamp_seconds\{feature="(\w+)".* (\d+)$/gm,
          ),
        ].map(([, feature, at]) => [feature, Number(at)]),
      );
    take(100, { paid: 60 });
    expect(await read()).toEqual({ orders: 100, recency: 100, paid_sum: 100, large: 100 });
    take(200, { paid: 7, sku: 'a' });
    take(300, { total: 7 });
    take(400, {}, 'Product Viewed');
    // An older one changes nothing.
    take(250, { paid: 80 });
    expect(await read()).toMatchObject({ orders: 100 });
    nowMs = 10_000;
    take(301, {});
    expect(await read()).toEqual({ orders: 301, recency: 301, paid_sum: 250, large: 250, skus: 200 });
  });
});
