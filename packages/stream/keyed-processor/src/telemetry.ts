import type { Rollout } from '@perennial/contracts';
import { toMessage } from '@perennial/kernel';
import { BATCH_SIZE_BUCKETS, DURATION_BUCKETS_SECONDS, type Logger, type Metrics } from '@perennial/telemetry';
import type { BatchResult } from './batch/batch.js';
import type { Rejection } from './definition.js';
import type { RepeatingSource } from './partition/repeat-watch.js';

/** One function per telemetry event of the processor: metric and log, never throwing. */
export interface ProcessorTelemetry {
  acquired(partition: number, from: { next: number; outboxes: number }): void;
  released(partition: number): void;
  fenced(partition: number): void;
  stalled(partition: number, error: unknown): void;
  /** Called before the commit: a batch that is retried after a failure reports it again. */
  rejected(partition: number, rollout: Rollout, rejection: Rejection): void;
  committed(result: Pick<BatchResult<unknown>, 'counts' | 'outputs'>, millis: number): void;
  published(millis: number): void;
  publishFailed(partition: number, error: unknown): void;
  observed(partition: number, state: { lag: number; outboxDepth: number; queued: number }): void;
  /** Called at intervals with the sources of which every record is dropped; mostly none. */
  repeating(partition: number, sources: readonly RepeatingSource[]): void;
  owns(partitions: number): void;
  consumerFailed(error: unknown): void;
}

export function createProcessorTelemetry(logger: Logger, metrics: Metrics): ProcessorTelemetry {
  const meters = createMeters(metrics);
  return {
    acquired(partition, from) {
      logger.info({ partition, ...from }, 'partition acquired');
    },
    released(partition) {
      for (const gauge of [meters.lag, meters.outboxDepth, meters.queued, meters.repeating])
        gauge.remove(String(partition));
      logger.info({ partition }, 'partition released');
    },
    fenced(partition) {
      meters.fenced.inc();
      logger.warn({ partition }, 'partition fenced: work and cache dropped');
    },
    stalled(partition, error) {
      meters.failures.inc({ step: 'work' });
      logger.error({ partition, cause: toMessage(error) }, 'partition stalled, retrying');
    },
    rejected(partition, { kind, number }, { reason }) {
      meters.rejections.inc();
      logger.error({ partition, kind, number, reason }, 'rollout rejected, the artifact before stays in force');
    },
    committed({ counts, outputs: emitted }, millis) {
      meters.records.inc({ result: 'applied' }, counts.applied);
      meters.records.inc({ result: 'repeated' }, counts.repeated);
      meters.records.inc({ result: 'dead_lettered' }, counts.poison);
      meters.timers.inc(counts.fired);
      meters.outputs.inc(emitted.length);
      meters.batchSize.observe(counts.applied + counts.fired + counts.repeated + counts.poison);
      meters.commitTime.observe(millis / 1000);
      if (counts.poison > 0) logger.error({ records: counts.poison }, 'records dead-lettered');
    },
    published(millis) {
      meters.publishTime.observe(millis / 1000);
    },
    publishFailed(partition, error) {
      meters.failures.inc({ step: 'publish' });
      logger.error({ partition, cause: toMessage(error) }, 'publishing failed, retrying');
    },
    observed(partition, state) {
      const labels = { partition: String(partition) };
      meters.lag.set(labels, state.lag);
      meters.outboxDepth.set(labels, state.outboxDepth);
      meters.queued.set(labels, state.queued);
    },
    repeating(partition, sources) {
      const records = sources.reduce((sum, source) => sum + source.records, 0);
      meters.repeating.set({ partition: String(partition) }, records);
      for (const { source, ...since } of sources)
        logger.error({ partition, source, ...since }, 'every record of a source is dropped as a repeat');
    },
    owns: (partitions) => meters.owned.set(partitions),
    consumerFailed(error) {
      meters.failures.inc({ step: 'consume' });
      logger.error({ cause: toMessage(error) }, 'consumer failed, retrying');
    },
  };
}

function createMeters(metrics: Metrics) {
  return {
    records: metrics.counter('processor_records_total', 'Input records by what became of them', ['result']),
    outputs: metrics.counter('processor_outputs_total', 'Records emitted'),
    timers: metrics.counter('processor_timers_fired_total', 'Timers fired'),
    fenced: metrics.counter(
      'processor_fenced_total',
      'Commits or loads fenced because another owner holds the partition',
    ),
    rejections: metrics.counter(
      'processor_rollouts_rejected_total',
      'Rollouts of artifacts that cannot be used; what was in force stays so',
    ),
    failures: metrics.counter('processor_failures_total', 'Failures of infrastructure that are being retried', [
      'step',
    ]),
    commitTime: metrics.histogram('processor_commit_duration_seconds', 'Time of one commit', DURATION_BUCKETS_SECONDS),
    publishTime: metrics.histogram(
      'processor_publish_duration_seconds',
      'Time of one publish',
      DURATION_BUCKETS_SECONDS,
    ),
    batchSize: metrics.histogram('processor_batch_items', 'Records and timers of one commit', BATCH_SIZE_BUCKETS),
    lag: metrics.gauge('processor_lag_records', 'Records of the log not yet processed', ['partition']),
    outboxDepth: metrics.gauge('processor_outbox_depth', 'Outboxes committed but not yet acknowledged', ['partition']),
    queued: metrics.gauge('processor_queued_records', 'Records waiting in memory', ['partition']),
    repeating: metrics.gauge(
      'processor_repeating_records',
      'Records of sources of which every record is dropped as a repeat, 0 where there is none',
      ['partition'],
    ),
    owned: metrics.gauge('processor_partitions_owned', 'Partitions this instance owns'),
  };
}
