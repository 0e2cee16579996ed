import type { ApplyResult } from '@perennial/feature-engine';
import type { Metrics } from '@perennial/telemetry';

/** Counts what became of an order that was cancelled or replaced; of any other event there is nothing to count. */
export function createCorrectionTelemetry(metrics: Metrics): (correction: ApplyResult['correction']) => void {
  const corrections = metrics.counter(
    'features_corrections_total',
    'Orders cancelled or replaced: taken back, early, repeated, or counted still, their content being forgotten (not_kept).',
    ['result'],
  );
  const inexact = metrics.counter(
    'features_corrections_inexact_total',
    'Times that a feature kept an order that was taken back: what is kept does not show what the order had changed.',
    ['feature'],
  );
  return (correction) => {
    if (correction === undefined) return;
    corrections.inc({ result: correction.result });
    for (const feature of correction.cannot) inexact.inc({ feature });
  };
}
