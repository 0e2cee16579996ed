import type { LogProducer, OutgoingRecord } from '@perennial/kafka';
import { AppError, type Clock, systemClock, withLimit } from '@perennial/kernel';
import type { IngestEvents } from './telemetry.js';

export const PUBLISH_LIMITS = {
  /** Maximum records in flight (sent, not acknowledged); beyond it ingest answers 503, so that memory stays bounded. */
  inFlightRecordsMax: 50_000,
  inFlightBytesMax: 64 * 1024 * 1024,
  /** Timeout of a caller's wait for the acknowledgement. */
  ackTimeoutMs: 10_000,
  /** How long a failure makes the instance unready: if longer, one without traffic would not notice the recovery. */
  failureHoldMs: 10_000,
} as const;

export type PublishLimits = { readonly [Name in keyof typeof PUBLISH_LIMITS]: number };

/** Sends records to the log, bounded in records in flight and in time. */
export interface Publisher {
  /**
   * Resolves when all are acknowledged. Throws AppError `resource_exhausted` at once when too much is in flight,
   * `timeout` when the broker takes too long (they may still be written then), and what the producer throws.
   */
  publish(records: readonly OutgoingRecord[]): Promise<void>;
  /** True when the last result from Kafka was a failure, and a recent one. */
  failing(): boolean;
  inFlight(): { records: number; bytes: number };
  /** Resolves when nothing is in flight any more. */
  drain(): Promise<void>;
}

export function createPublisher(
  producer: LogProducer,
  options: { limits?: PublishLimits; clock?: Clock; events?: IngestEvents } = {},
): Publisher {
  const { limits = PUBLISH_LIMITS, clock = systemClock, events } = options;
  const underWay = new Set<Promise<void>>();
  let recordsInFlight = 0;
  let bytesInFlight = 0;
  let failedAtMs: number | undefined;

  async function track(records: readonly OutgoingRecord[], bytes: number): Promise<void> {
    recordsInFlight += records.length;
    bytesInFlight += bytes;
    const startedAtMs = clock.steadyMs();
    try {
      await producer.send(records);
      failedAtMs = undefined;
      events?.published('http', { records: records.length, ms: clock.steadyMs() - startedAtMs });
    } catch (error) {
      failedAtMs = clock.steadyMs();
      events?.publishFailed(error);
      throw error;
    } finally {
      // Not at a caller's timeout: until now the producer holds the memory.
      recordsInFlight -= records.length;
      bytesInFlight -= bytes;
    }
  }

  return {
    async publish(records) {
      if (records.length === 0) return;
      const bytes = records.reduce((sum, record) => sum + sizeOf(record), 0);
      if (recordsInFlight >= limits.inFlightRecordsMax || bytesInFlight >= limits.inFlightBytesMax) {
        throw new AppError('resource_exhausted', 'too many events wait for Kafka', { retriable: true });
      }
      const sent = track(records, bytes);
      const settled = sent.catch(() => undefined).then(() => void underWay.delete(settled));
      underWay.add(settled);
      const message = `Kafka did not acknowledge within ${limits.ackTimeoutMs} ms`;
      await withLimit({ ms: limits.ackTimeoutMs, message, clock }, () => sent);
    },
    failing: () => failedAtMs !== undefined && clock.steadyMs() - failedAtMs < limits.failureHoldMs,
    inFlight: () => ({ records: recordsInFlight, bytes: bytesInFlight }),
    async drain() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}

function sizeOf(record: OutgoingRecord): number {
  return (record.key?.length ?? 0) + (record.value?.length ?? 0);
}
