import { toMessage } from '@perennial/kernel';
import type { Logger, Metrics } from '@perennial/telemetry';

/** One function for each thing worth reporting of fills; none of them throws. */
export type FillTelemetry = ReturnType<typeof createFillTelemetry>;

export function createFillTelemetry(logger: Logger, metrics: Metrics) {
  const progress = metrics.gauge(
    'features_fill_progress_ratio',
    'Share of the archived records that the fill of the feature spec in force has folded; absent without a fill.',
    ['partition'],
  );
  const age = metrics.gauge(
    'features_fill_age_seconds',
    'Time since the fill of the feature spec in force began, 0 without one.',
  );
  const folded = metrics.counter('features_fill_records_total', 'Archived records folded by fills.');
  const failures = metrics.counter(
    'features_fill_failures_total',
    'Attempts of a fill that failed; it is tried again.',
  );
  const completed = metrics.counter('features_fills_completed_total', 'Fills put in force.');

  return {
    began: (fill: { readonly number: number; readonly hash: string }): void =>
      logger.info(fill, 'fill of a feature spec goes on'),
    folded(partition: number, at: { readonly next: number; readonly of: number; readonly records: number }): void {
      folded.inc(at.records);
      progress.set({ partition: String(partition) }, at.of === 0 ? 0 : Math.min(1, at.next / at.of));
    },
    aged: (ageMs: number): void => age.set(ageMs / 1_000),
    filled(partition: number, fill: { readonly until: number; readonly profiles: number }): void {
      progress.set({ partition: String(partition) }, 1);
      logger.info({ partition, until: fill.until, profiles: fill.profiles }, 'fill of a partition is complete');
    },
    completed(fill: { readonly number: number; readonly hash: string; readonly partitions: number }): void {
      completed.inc();
      logger.info(fill, 'fill of a feature spec is put in force');
    },
    failed(error: unknown): void {
      failures.inc();
      logger.error({ reason: toMessage(error) }, 'fill of a feature spec failed, trying again');
    },
    waiting: (error: unknown): void =>
      logger.debug({ reason: toMessage(error) }, 'it is unknown whether a feature spec is to be filled'),
    /** None is to be done by this process. */
    idle(): void {
      progress.reset();
      age.set(0);
    },
  };
}
