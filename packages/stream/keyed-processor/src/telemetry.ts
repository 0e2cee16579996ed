import type { Rollout } from '@perennial/contracts';
import { toMessage } from '@perennial/kernel';
import { BATCH_SIZE_BUCKETS, DURATION_BUCKETS_SECONDS, type Logger, type Metrics } from '@perennial/telemetry';
import type { BatchResult } from './batch/batch.js';
import type { Rejection } from './definition.js';

/** One function per telemetry event of the processor: metric and log, never throwing. */
export interface ProcessorTelemetry {
  acquired(partition: number, from: { next: number; outboxes: number }): void;
  released(partition: number): void;
  fenced(partition: number): void;
  stalled(partition: number, error: unknown): void;
  /** Before the commit: a batch that is tried again after a failure reports it again. */
  rejected(partition: number, rollout: Rollout, rejection: Rejection): void;
  committed(result: Pick<BatchResult<unknown>, 'counts' | 'outputs'>, millis: number): void;
  published(millis: number): void;
  publishFailed(partition: number, error: unknown): void;
  observed(partition: number, state: { lag: number; outboxDepth: number; queued: number }): void;
  owns(partitions: number): void;
  consumerFailed(error: unknown): void;
}

export function createProcessorTelemetry(logger: Logger, metrics: Metrics): ProcessorTelemetry {
  const records = metrics.counter('processor_records_total', 'Input records by what became of them', ['result']);
  const outputs = metrics.counter('processor_outputs_total', 'Records emitted');
  const timers = metrics.counter('processor_timers_fired_total', 'Timers fired');
  const fenced = metrics.counter(
    'processor_fenced_total',
    'Commits or loads fenced because another owner holds the partition',
  );
  const rejections = metrics.counter(
    'processor_rollouts_rejected_total',
    'Rollouts of contents that cannot be used; what was in force stays so',
  );
  const failures = metrics.counter('processor_failures_total', 'Failures of infrastructure that are being retried', [
    'step',
  ]);
  const commitTime = metrics.histogram(
    'processor_commit_duration_seconds',
    'Time of one commit',
    DURATION_BUCKETS_SECONDS,
  );
  const publishTime = metrics.histogram(
    'processor_publish_duration_seconds',
    'Time of one publish',
    DURATION_BUCKETS_SECONDS,
  );
  const batchSize = metrics.histogram('processor_batch_items', 'Records and timers of one commit', BATCH_SIZE_BUCKETS);
  const lag = metrics.gauge('processor_lag_records', 'Records of the log not yet processed', ['partition']);
  const outboxDepth = metrics.gauge('processor_outbox_depth', 'Outboxes committed but not yet acknowledged', [
    'partition',
  ]);
  const queued = metrics.gauge('processor_queued_records', 'Records waiting in memory', ['partition']);
  const owned = metrics.gauge('processor_partitions_owned', 'Partitions this instance owns');

  return {
    acquired(partition, from) {
      logger.info({ partition, ...from }, 'partition acquired');
    },
    released(partition) {
      for (const gauge of [lag, outboxDepth, queued]) gauge.remove(String(partition));
      logger.info({ partition }, 'partition released');
    },
    fenced(partition) {
      fenced.inc();
      logger.warn({ partition }, 'partition fenced: work and cache dropped');
    },
    stalled(partition, error) {
      failures.inc({ step: 'work' });
      logger.error({ partition, cause: toMessage(error) }, 'partition stalled, retrying');
    },
    rejected(partition, { kind, number }, { reason }) {
      rejections.inc();
      logger.error({ partition, kind, number, reason }, 'rollout rejected, the artifact before stays in force');
    },
    committed({ counts, outputs: emitted }, millis) {
      records.inc({ result: 'applied' }, counts.applied);
      records.inc({ result: 'repeated' }, counts.repeated);
      records.inc({ result: 'dead_lettered' }, counts.poison);
      timers.inc(counts.fired);
      outputs.inc(emitted.length);
      batchSize.observe(counts.applied + counts.fired + counts.repeated + counts.poison);
      commitTime.observe(millis / 1000);
      if (counts.poison > 0) logger.error({ records: counts.poison }, 'records dead-lettered');
    },
    published(millis) {
      publishTime.observe(millis / 1000);
    },
    publishFailed(partition, error) {
      failures.inc({ step: 'publish' });
      logger.error({ partition, cause: toMessage(error) }, 'publishing failed, retrying');
    },
    observed(partition, state) {
      const labels = { partition: String(partition) };
      lag.set(labels, state.lag);
      outboxDepth.set(labels, state.outboxDepth);
      queued.set(labels, state.queued);
    },
    owns: (partitions) => owned.set(partitions),
    consumerFailed(error) {
      failures.inc({ step: 'consume' });
      logger.error({ cause: toMessage(error) }, 'consumer failed, retrying');
    },
  };
}
