import { toConsumerGroup } from '@perennial/contracts';
import type { Log, LogProducer } from '@perennial/kafka';
import type { Clock } from '@perennial/kernel';
import type { ClockMode } from '../domain/parse-timestamp.js';
import { toReceivedGroup } from '../kafka/kafka-source.js';
import type { ClockStore } from '../ports.js';
import type { IngestEvents } from '../telemetry.js';
import { measureBrokerClock } from './broker-clock.js';
import { type ClockDriver, createClockDriver } from './clock-driver.js';
import { startTicker, type Ticker } from './ticker.js';

export interface LogClockOptions {
  readonly clockMode: ClockMode;
  readonly namespace: string;
  readonly instanceId: string;
  readonly log: Log;
  /** A producer of its own: a failed send also fails the records queued behind it. */
  readonly producer: LogProducer;
  readonly topics: { readonly accepted: string; readonly received: string };
  readonly partitions: number;
  /** Partitions whose ticks this instance writes. */
  readonly owned: () => ReadonlySet<number>;
  readonly store: ClockStore;
  readonly clock: Clock;
  readonly events: IngestEvents;
}

/** What moves log time: this machine's clock or, in a backfill, calls of `POST /v1/clock`. */
export type LogClock =
  | { readonly ticker: Ticker; readonly driver: undefined }
  | { readonly ticker: undefined; readonly driver: ClockDriver };

export function startLogClock(options: LogClockOptions): LogClock {
  const { clockMode, namespace, log, producer, topics, clock, events } = options;
  if (clockMode === 'events') {
    const driver = createClockDriver({
      log,
      producer,
      store: options.store,
      acceptedTopic: topics.accepted,
      receivedTopic: topics.received,
      receivedGroup: toReceivedGroup(namespace),
      partitions: options.partitions,
      clock,
    });
    return { ticker: undefined, driver };
  }
  const groupId = toConsumerGroup(namespace, `ingest-clock-probe.${options.instanceId}`);
  const probe = { log, producer, topic: topics.accepted, groupId, clock };
  const ticker = startTicker({
    producer,
    acceptedTopic: topics.accepted,
    owned: options.owned,
    clock,
    events,
    probe: (partition) => measureBrokerClock(probe, partition),
  });
  return { ticker, driver: undefined };
}
