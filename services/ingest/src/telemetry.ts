import { BATCH_SIZE_BUCKETS, DURATION_BUCKETS_SECONDS, type Logger, type Metrics } from '@perennial/telemetry';
import type { NormalisedEvent } from './domain/normalise.js';
import type { Rejection } from './domain/rejection.js';
import { createIgnoredReports } from './ignored-telemetry.js';
import { createPlanReports } from './plan-telemetry.js';

export type Transport = 'http' | 'kafka';

/** Why a request was not taken in for its number or size: its address or source sends too much, or too many bodies come at once. */
export type RequestLimit = 'address' | 'source' | 'bodies';

/** One function for each thing worth reporting: metric and log together; none of them throws. */
export type IngestEvents = ReturnType<typeof createEvents>;

export function createEvents(logger: Logger, metrics: Metrics) {
  const meters = createMeters(metrics);
  return {
    ...createIgnoredReports(logger, metrics),
    ...createPlanReports(logger, metrics),
    received(transport: Transport, event: NormalisedEvent | Rejection): void {
      if (event.kind === 'accepted') meters.accepted.inc({ transport });
      else meters.rejected.inc({ transport, step: event.step, reason: event.reason });
    },
    answered(result: { readonly accepted: number; readonly rejections: readonly Rejection[] }): void {
      if (result.accepted > 0) meters.accepted.inc({ transport: 'http' }, result.accepted);
      for (const { step, reason } of result.rejections) meters.rejected.inc({ transport: 'http', step, reason });
    },
    limited(limit: RequestLimit): void {
      meters.limited.inc({ limit });
    },
    published(transport: Transport, { records, ms }: { records: number; ms: number }): void {
      meters.publishSeconds.observe({ transport }, ms / 1000);
      meters.batchRecords.observe({ transport }, records);
    },
    publishRetried(error: unknown): void {
      meters.publishFailures.inc({ transport: 'kafka' });
      logger.warn({ error }, 'publishing failed, trying again');
    },
    publishFailed(error: unknown): void {
      meters.publishFailures.inc({ transport: 'http' });
      logger.debug({ error }, 'publishing failed, the client was answered with an error');
    },
    commitFailed(error: unknown): void {
      meters.commitFailures.inc();
      logger.warn({ error }, 'offset commit failed');
    },
    consumerFailed(error: unknown): void {
      logger.warn({ error }, 'consumer of event.received is in trouble');
    },
    ownershipChanged(count: number): void {
      meters.partitions.set(count);
      logger.info({ partitions: count }, 'partitions of event.received changed');
    },
    lagMeasured(records: number): void {
      meters.lag.set(records);
    },
    heldBackMeasured: createHeldBackReport(logger),
    lagUnknown(error: unknown): void {
      logger.debug({ error }, 'lag could not be read');
    },
    inFlightMeasured(records: number): void {
      meters.inFlight.set(records);
    },
    ticked(count: number): void {
      meters.ticks.inc(count);
    },
    tickFailed(error: unknown): void {
      logger.warn({ error }, 'ticks could not be written');
    },
    clockMeasured(skewMs: number): void {
      meters.skew.set(skewMs / 1000);
    },
    clockUnknown(error: unknown): void {
      logger.warn({ error }, 'clock could not be compared with the broker');
    },
    clockJumped(jumpMs: number): void {
      logger.error({ jumpMs }, 'clock was set: ticks stopped until it is compared with the broker');
    },
    clockOff(skewMs: number): void {
      logger.error({ skewMs }, 'clock differs from the broker: ticks stopped');
    },
  };
}

/** Logs the beginning and the end of each wait: number of records by partition. */
function createHeldBackReport(logger: Logger) {
  let waiting: ReadonlySet<number> = new Set();
  return (held: ReadonlyMap<number, number>): void => {
    for (const [partition, records] of held) {
      if (waiting.has(partition)) continue;
      logger.warn({ partition, records }, 'partition of event.received waits for an open transaction');
    }
    for (const partition of waiting) {
      if (!held.has(partition)) logger.info({ partition }, 'transaction on event.received has ended');
    }
    waiting = new Set(held.keys());
  };
}

function createMeters(metrics: Metrics) {
  return {
    accepted: metrics.counter('ingest_events_accepted_total', 'Events written to event.accepted.', ['transport']),
    rejected: metrics.counter('ingest_events_rejected_total', 'Events written to event.rejected.', [
      'transport',
      'step',
      'reason',
    ]),
    limited: metrics.counter(
      'ingest_requests_limited_total',
      'Requests answered 429 (limit of the address, rate of the source) or 503 (too many bodies at a time).',
      ['limit'],
    ),
    publishSeconds: metrics.histogram(
      'ingest_publish_seconds',
      'From handing records to the producer to the acknowledgement.',
      DURATION_BUCKETS_SECONDS,
      ['transport'],
    ),
    batchRecords: metrics.histogram('ingest_batch_records', 'Records published at a time.', BATCH_SIZE_BUCKETS, [
      'transport',
    ]),
    publishFailures: metrics.counter('ingest_publish_failures_total', 'Publishes that failed.', ['transport']),
    partitions: metrics.gauge('ingest_partitions_owned', 'Partitions of event.received that this instance has.'),
    lag: metrics.gauge('ingest_received_lag_records', 'Records of event.received not yet taken in, by all instances.'),
    inFlight: metrics.gauge('ingest_in_flight_records', 'Records handed to the producer and not acknowledged.'),
    ticks: metrics.counter('ingest_ticks_total', 'Ticks written to event.accepted.'),
    skew: metrics.gauge('ingest_clock_skew_seconds', 'Append time of the broker minus the clock of this machine.'),
    commitFailures: metrics.counter('ingest_commit_failures_total', 'Offset commits that failed.'),
  };
}
