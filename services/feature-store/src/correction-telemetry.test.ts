import { expect, it } from '@jest/globals';
import { createMetrics } from '@perennial/telemetry';
import { createCorrectionTelemetry } from './correction-telemetry.js';

it('counts what became of an order, and each feature that keeps it', async () => {
  const metrics = createMetrics({ service: 'f', namespace: 'n', processMetrics: false });
  const { corrected, tookBack } = createCorrectionTelemetry(metrics);
  corrected(undefined);
  corrected({ result: 'taken_back', cannot: ['most'] });
  tookBack({ result: 'early', cannot: [] });
  const text = await metrics.registry.metrics();
  expect(text).toMatch(/features_corrections_total\{.*result="taken_back".*\} 1/);
  expect(text).toMatch(/features_retractions_total\{.*result="early".*\} 1/);
  expect(text).toMatch(/features_corrections_inexact_total\{.*feature="most".*\} 1/);
});
