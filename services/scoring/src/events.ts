import type { Model } from '@perennial/onnx';
import type { Logger, Metrics } from '@perennial/telemetry';
import { BATCH_SIZE_BUCKETS, DURATION_BUCKETS_SECONDS } from '@perennial/telemetry';

/** One function per thing worth telling: metric and log together. */
export interface ScoringEvents {
  modelLoaded(hash: string, model: Model): void;
  timeInference<T>(rows: number, run: () => Promise<T>): Promise<T>;
  transitionsStored(transitions: ReadonlyArray<{ from: string | null; to: string; cause: string }>): void;
}

export function createScoringEvents(logger: Logger, metrics: Metrics): ScoringEvents {
  const models = metrics.gauge('scoring_model_info', '1 for each model loaded; which provider runs it.', [
    'model_hash',
    'model_name',
    'provider',
  ]);
  const rows = metrics.histogram('scoring_batch_rows', 'Rows a model run.', BATCH_SIZE_BUCKETS);
  const durations = metrics.histogram(
    'scoring_inference_duration_seconds',
    'A model run over a batch.',
    DURATION_BUCKETS_SECONDS,
  );
  const transitions = metrics.counter('scoring_transitions_stored_total', 'Transitions written to PostgreSQL.', [
    'from',
    'to',
    'cause',
  ]);
  return {
    modelLoaded(hash, model) {
      for (const { provider, reason } of model.fallbacks) {
        logger.warn({ provider, reason }, 'execution provider not usable');
      }
      models.set({ model_hash: hash, model_name: model.manifest.name, provider: model.provider }, 1);
      const { provider, batchShapes } = model;
      logger.info({ hash, name: model.manifest.name, provider, batchShapes }, 'model loaded');
    },
    async timeInference(count, run) {
      const end = durations.startTimer();
      try {
        return await run();
      } finally {
        end();
        rows.observe(count);
      }
    },
    transitionsStored(stored) {
      for (const { from, to, cause } of stored) transitions.inc({ from: from ?? 'none', to, cause });
    },
  };
}
