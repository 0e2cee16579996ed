import type { OnEvaluationError } from '@perennial/expressions';
import type { Failure } from '@perennial/onnx';
import type { Logger, Metrics } from '@perennial/telemetry';
import { BATCH_SIZE_BUCKETS, createLimitedLog, DURATION_BUCKETS_SECONDS } from '@perennial/telemetry';
import type { RowFailureReason } from './row-scores.js';
import type { ScoringModel } from './scoring-model.js';

/** Limits the log: a defect would otherwise be logged for every record. */
const DEFECT_LOG_INTERVAL_MS = 60_000;

export interface RowFailure {
  readonly modelHash: string;
  readonly reason: RowFailureReason;
  readonly problem: string;
}

/** One function for each thing worth reporting: metric and log together. */
export interface ScoringTelemetry {
  modelLoaded(hash: string, model: ScoringModel): void;
  /** A condition of the chart threw and counts as false. */
  readonly conditionFailed: OnEvaluationError;
  /** A row has no score: its record is dead-lettered, and its profile goes on. */
  rowFailed(failure: RowFailure): void;
  /** A run has cost the model its process: it used up its time, or crashed. */
  modelProcessLost(loss: Failure): void;
  timeInference<T>(rows: number, run: () => Promise<T>): Promise<T>;
  transitionsStored(transitions: ReadonlyArray<{ from: string | null; to: string; cause: string }>): void;
}

export function createScoringTelemetry(logger: Logger, metrics: Metrics): ScoringTelemetry {
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
  const conditionErrors = metrics.counter(
    'scoring_condition_errors_total',
    'Conditions of the chart and of segments that threw and were taken as false.',
  );
  const logConditionError = createLimitedLog<Parameters<OnEvaluationError>[0]>(
    ({ source, error }, leftOut) => logger.error({ condition: source, error, leftOut }, 'condition failed'),
    { intervalMs: DEFECT_LOG_INTERVAL_MS },
  );
  return {
    ...createFailureTelemetry(logger, metrics),
    conditionFailed(failure) {
      conditionErrors.inc();
      logConditionError(failure);
    },
    modelLoaded(hash, { manifest, graph }) {
      for (const { provider, reason } of graph.fallbacks) {
        logger.warn({ provider, reason }, 'execution provider not usable');
      }
      models.set({ model_hash: hash, model_name: manifest.name, provider: graph.provider }, 1);
      const { provider, batchShapes } = graph;
      logger.info(
        { hash, name: manifest.name, heads: manifest.heads.map((head) => head.name), provider, batchShapes },
        'model loaded',
      );
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

/** What models fail on: rows, and their processes. */
function createFailureTelemetry(
  logger: Logger,
  metrics: Metrics,
): Pick<ScoringTelemetry, 'rowFailed' | 'modelProcessLost'> {
  const rowFailures = metrics.counter(
    'scoring_rows_failed_total',
    'Rows without a score, by what the model did with them; each is a dead letter.',
    ['reason'],
  );
  const logRowFailure = createLimitedLog<RowFailure>(
    (failure, leftOut) => logger.error({ ...failure, leftOut }, 'row without a score'),
    { intervalMs: DEFECT_LOG_INTERVAL_MS },
  );
  const lostProcesses = metrics.counter(
    'scoring_model_processes_lost_total',
    'Processes of models that were ended (time) or ended by themselves (crash) in a run.',
    ['reason'],
  );
  const logLostProcess = createLimitedLog<Failure>(
    ({ reason, message }, leftOut) => logger.warn({ reason, cause: message, leftOut }, 'model process lost'),
    { intervalMs: DEFECT_LOG_INTERVAL_MS },
  );
  return {
    rowFailed(failure) {
      rowFailures.inc({ reason: failure.reason });
      logRowFailure(failure);
    },
    modelProcessLost(loss) {
      lostProcesses.inc({ reason: loss.reason });
      logLostProcess(loss);
    },
  };
}
