import { createLimitedLog, type Logger, type Metrics } from '@perennial/telemetry';
import type { FoldResult } from './domain/fold.js';

/** Limits the log: a defect would otherwise be logged for every event. */
const DEFECT_LOG_INTERVAL_MS = 60_000;

type Folded = Pick<Extract<FoldResult, { kind: 'applied' }>, 'failed' | 'unread'>;

/** What events have that features could not take: all of them go on, and count without it. */
export function createUnreadTelemetry(metrics: Metrics, logger: Logger | undefined): (folded: Folded) => void {
  // Labels are the features of specs that were in force, which only grow.
  const unread = metrics.counter(
    'features_inputs_unread_total',
    'Events of which a feature could not take its part: its condition threw and counts as false (condition_error), or the value is no amount or id (wrong_type) or beyond what counts as an amount (out_of_range).',
    ['feature', 'reason'],
  );
  const logFailed = createLimitedLog<NonNullable<Folded['failed']>[number]>(
    ({ source, error, features }, leftOut) =>
      logger?.error({ condition: source, features, error, leftOut }, 'condition failed'),
    { intervalMs: DEFECT_LOG_INTERVAL_MS },
  );
  return ({ failed = [], unread: values }) => {
    for (const failure of failed) {
      for (const feature of failure.features) unread.inc({ feature, reason: 'condition_error' });
      logFailed(failure);
    }
    for (const { feature, reason } of values) unread.inc({ feature, reason });
  };
}
