import { DURATION_BUCKETS_SECONDS, type Logger, type Metrics } from '@perennial/telemetry';

/** Measuring how features are spread over all profiles: metric and log together. */
export interface PopulationTelemetry {
  /** The population was measured; `isNew`: other thresholds follow from it, which are put in force. */
  measured(result: { readonly number: number; readonly isNew: boolean; readonly tookMs: number }): void;
  /** Measuring the population failed; it is tried again. */
  failed(error: unknown): void;
}

export function createPopulationTelemetry(logger: Logger, metrics: Metrics): PopulationTelemetry {
  const numbers = metrics.gauge(
    'scoring_population_number',
    'Number of the population that this process measured last.',
  );
  const failures = metrics.counter('scoring_population_failures_total', 'Measurements of the population that failed.');
  const durations = metrics.histogram(
    'scoring_population_duration_seconds',
    'Reading all states to measure the population.',
    DURATION_BUCKETS_SECONDS,
  );
  return {
    measured({ number, isNew, tookMs }) {
      numbers.set({}, number);
      durations.observe(tookMs / 1_000);
      if (isNew) logger.info({ number, tookMs }, 'population put in force');
    },
    failed(error) {
      failures.inc();
      logger.warn({ error }, 'population not measured');
    },
  };
}
