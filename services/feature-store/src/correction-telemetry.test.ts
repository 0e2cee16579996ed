import { expect, it } from '@jest/globals';
import { createMetrics } from '@perennial/telemetry';
import { createCorrectionTelemetry } from './correction-telemetry.js';

it('counts what became of an order, and each feature that keeps it', async () => {
  const metrics = createMetrics({ service: 'f', namespace: 'n', processMetrics: false });
  const corrected = createCorrectionTelemetry(metrics);
  corrected(undefined);
  corrected({ result: 'taken_back', cannot: ['most'] });
  const text = await metrics.registry.metrics();
  expect(text).toMatch(/features_corrections_total\{.*result="taken_back".*\} 1/);
  expect(text).toMatch(/features_corrections_inexact_total\{.*feature="most".*\} 1/);
});
