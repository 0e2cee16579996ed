import { BATCH_SIZE_BUCKETS, DURATION_BUCKETS_SECONDS, type Logger, type Metrics } from '@perennial/telemetry';
import type { NormalisedEvent } from './domain/event-shape.js';
import type { Rejection } from './domain/rejection.js';
import { createIgnoredReports } from './ignored-telemetry.js';
import { createPlanReports } from './plan-telemetry.js';

/** Topics that clients write. */
type InputTopic = 'eventReceived' | 'actionOutcome';

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
    consumerFailed(topic: InputTopic, error: unknown): void {
      logger.warn({ error, topic }, 'consumer of a topic of clients is in trouble');
    },
    ownershipChanged(topic: InputTopic, count: number): void {
      // Ticks depend on the partitions of event.received alone.
      if (topic === 'eventReceived') meters.partitions.set(count);
      logger.info({ partitions: count, topic }, 'partitions of a topic of clients changed');
    },
    lagMeasured(topic: InputTopic, records: number): void {
      meters[topic === 'eventReceived' ? 'lag' : 'outcomeLag'].set(records);
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
  const waiting = new Map<InputTopic, ReadonlySet<number>>();
  return (topic: InputTopic, held: ReadonlyMap<number, number>): void => {
    const before = waiting.get(topic) ?? new Set();
    for (const [partition, records] of held) {
      if (before.has(partition)) continue;
      logger.warn({ partition, records, topic }, 'partition of a topic of clients waits for an open transaction');
    }
    for (const partition of before) {
      if (!held.has(partition)) logger.info({ partition, topic }, 'transaction on a topic of clients has ended');
    }
    waiting.set(topic, new Set(held.keys()));
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
    outcomeLag: metrics.gauge(
      'ingest_outcome_lag_records',
      'Records of action.outcome not yet taken in, by all instances.',
    ),
    inFlight: metrics.gauge('ingest_in_flight_records', 'Records handed to the producer and not acknowledged.'),
    ticks: metrics.counter('ingest_ticks_total', 'Ticks written to event.accepted.'),
    skew: metrics.gauge('ingest_clock_skew_seconds', 'Append time of the broker minus the clock of this machine.'),
    commitFailures: metrics.counter('ingest_commit_failures_total', 'Offset commits that failed.'),
  };
}
