import { expect, it } from '@jest/globals';
import { INITIAL_RATES } from '@perennial/commerce';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { INITIAL_RULES } from '@perennial/identity';
import { createLogger, createMetrics } from '@perennial/telemetry';
import type { ProfileState } from './domain/profile-state.js';
import { createFills } from './fill/fills.js';
import { toEvent, toUser } from './identity/join-test-kit.js';
import { createFeatureProcessor } from './processor.js';
import { createFeatureTelemetry } from './telemetry.js';
import { createUnreadTelemetry } from './unread-telemetry.js';

const WHERE = 'properties.plan.startsWith("pro")';
const SPECS = new FeatureSpecs([
  {
    name: 'pros',
    unit: 'events',
    event: { type: 'track', name: undefined, where: WHERE },
    aggregation: 'count',
    windowMs: undefined,
  },
  ...ECOMMERCE_FEATURES,
]);

it('counts each feature that a condition failed for, or that could not take a value; logs the defect once an interval', async () => {
  const lines: Array<Record<string, unknown>> = [];
  const logger = createLogger({
    service: 'feature-store',
    namespace: 'live',
    instanceId: 'a',
    level: 'info',
    destination: { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  });
  const metrics = createMetrics({ service: 'feature-store', namespace: 'live', processMetrics: false });
  const count = createUnreadTelemetry(metrics, logger);
  const failed = [{ source: 'properties.a > 1', error: new Error('no values'), features: ['a', 'b'] }];
  for (let times = 0; times < 3; times++) count({ failed, unread: [] });
  count({ failed: undefined, unread: [{ feature: 'a', reason: 'wrong_type' }] });
  const text = await metrics.registry.metrics();
  expect(text).toMatch(/^features_inputs_unread_total\{feature="a",reason="condition_error".*\} 3$/m);
  expect(text).toMatch(/^features_inputs_unread_total\{feature="b",reason="condition_error".*\} 3$/m);
  expect(text).toMatch(/^features_inputs_unread_total\{feature="a",reason="wrong_type".*\} 1$/m);
  expect(lines).toMatchObject([
    { level: 'error', message: 'condition failed', condition: 'properties.a > 1', features: ['a', 'b'] },
  ]);
});

it('is reported by the live processor, once for each event that it folds', async () => {
  const metrics = createMetrics({ service: 'f', namespace: 'live', processMetrics: false });
  const definition = createFeatureProcessor({
    namespace: 'live',
    artifacts: {
      loadRollout: async () => undefined,
      rates: async () => INITIAL_RATES,
      identity: async () => INITIAL_RULES,
      fills: createFills({ load: async () => Buffer.alloc(0) }, SPECS),
    },
    telemetry: createFeatureTelemetry(metrics),
    specs: SPECS,
  });
  const context = { key: 'anna', partition: 0, offset: 1, ordinal: 0, logTimeMs: 0, inForce: new Map() };
  const step = (state: ProfileState | undefined, messageId: string, properties: unknown) => {
    const input = { event: toEvent(toUser('anna'), { messageId }), properties };
    return definition.step({ state, cause: { kind: 'record', input }, context }, { rates: INITIAL_RATES }).state;
  };
  const wrong = { plan: 'pro', revenue: '12,50', products: ['p'] };
  const state = withThrowingTexts(() => step(undefined, 'm1', wrong));
  step(state, 'm1', wrong);
  step(state, 'm2', { plan: 'pro', revenue: 1, products: [{ product_id: 'p' }] });
  const text = await metrics.registry.metrics();
  const lines = [...text.matchAll(/^features_inputs_unread_total\{feature="(\w+)",reason="(\w+)".*\} (\d+)$/gm)];
  expect(lines.map(([, ...parts]) => parts.join(' '))).toEqual([
    'pros condition_error 1',
    'orders_revenue_sum_30d wrong_type 1',
    'orders_revenue_sum_90d wrong_type 1',
    'orders_revenue_sum_365d wrong_type 1',
    'orders_revenue_sum_all wrong_type 1',
    'products_distinct_90d wrong_type 1',
  ]);
});

/** Nothing that events hold makes a condition throw: that takes a defect. */
function withThrowingTexts<T>(run: () => T): T {
  const { startsWith } = String.prototype;
  String.prototype.startsWith = () => {
    throw new Error('no texts');
  };
  try {
    return run();
  } finally {
    String.prototype.startsWith = startsWith;
  }
}
