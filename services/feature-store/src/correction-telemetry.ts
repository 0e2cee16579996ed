import type { ApplyResult } from '@perennial/feature-engine';
import type { Metrics } from '@perennial/telemetry';

type Correction = NonNullable<ApplyResult['correction']>;

export interface CorrectionTelemetry {
  /** Of an event that cancels or replaces nothing there is nothing to count. */
  corrected(correction: Correction | undefined): void;
  tookBack(correction: Correction): void;
}

/** What became of orders that were cancelled or replaced, and of events that records take back. */
export function createCorrectionTelemetry(metrics: Metrics): CorrectionTelemetry {
  const corrections = metrics.counter(
    'features_corrections_total',
    'Orders cancelled or replaced: taken back, early, repeated, or counted still, their content being forgotten (not_kept).',
    ['result'],
  );
  const inexact = metrics.counter(
    'features_corrections_inexact_total',
    'Times that a feature kept an order or an event that was taken back: what is kept does not show what it had changed.',
    ['feature'],
  );
  const retractions = metrics.counter(
    'features_retractions_total',
    'Records that take an event back: taken back, early (it is not to count when it comes), repeated, or counted still, nobody knowing yet what it had added (not_kept).',
    ['result'],
  );
  const countInexact = ({ cannot }: Correction) => {
    for (const feature of cannot) inexact.inc({ feature });
  };
  return {
    corrected(correction) {
      if (correction === undefined) return;
      corrections.inc({ result: correction.result });
      countInexact(correction);
    },
    tookBack(correction) {
      retractions.inc({ result: correction.result });
      countInexact(correction);
    },
  };
}
