import { encodePosition, HEADERS } from '@perennial/contracts';
import { ConsumerHealth, type LogProducer, type LogRecord, type OutgoingRecord } from '@perennial/kafka';
import { type Clock, systemClock } from '@perennial/kernel';
import { type Sum, type SumInput, summing } from '@perennial/keyed-processor/testing';
import { createMetrics } from '@perennial/telemetry';
import { SourceEnds } from './batch/source-ends.js';
import type { ProcessorDefinition } from './definition.js';
import { DEFAULT_LIMITS, type ProcessorLimits } from './limits.js';
import { PartitionWorker, type WorkerOptions } from './partition/partition-worker.js';
import type { PartitionSnapshots } from './snapshot/partition-snapshots.js';
import type { PartitionStore } from './store/store.js';
import type { ProcessorTelemetry } from './telemetry.js';

/** Records of an input topic, offsets from 0; `from` gives them positions as another processor's output. */
export function toInput(bodies: ReadonlyArray<{ key?: string; body: unknown }>, from?: string): LogRecord[] {
  return bodies.map(({ key, body }, offset) => ({
    topic: 'in',
    partition: 0,
    offset,
    timestampMs: 0,
    key: key === undefined ? null : Buffer.from(key),
    value: typeof body === 'string' ? Buffer.from(body) : Buffer.from(JSON.stringify(body)),
    headers: from === undefined ? {} : { [HEADERS.position]: encodePosition({ source: from, offset, ordinal: 0 }) },
  }));
}

/** A producer that keeps what it sends; `onSend` may throw before or after some of it is written. */
export class RecordingProducer implements LogProducer {
  readonly written: OutgoingRecord[] = [];
  onSend: (records: readonly OutgoingRecord[], write: (records: readonly OutgoingRecord[]) => void) => Promise<void> =
    async (records, write) => write(records);

  async send(records: readonly OutgoingRecord[]): Promise<void> {
    await this.onSend(records, (some) => this.written.push(...some));
  }

  async close(): Promise<void> {}
}

export const silentTelemetry: ProcessorTelemetry = {
  acquired() {},
  released() {},
  fenced() {},
  stalled() {},
  rejected() {},
  committed() {},
  published() {},
  publishFailed() {},
  observed() {},
  repeating() {},
  owns() {},
  consumerFailed() {},
};

/** A clock for tests: waits end at once. */
export const impatientClock: Clock = {
  now: () => 0,
  steadyMs: () => 0,
  wait: (ms, signal) => (ms > 1000 ? systemClock.wait(ms, signal) : new Promise((resolve) => setImmediate(resolve))),
};

export interface Harness {
  readonly worker: PartitionWorker<Sum, SumInput, number>;
  readonly health: ConsumerHealth;
  /**
   * Feeds the input from wherever the worker seeks to, `chunk` records a delivery, until all is processed or `until` is
   * true.
   */
  drain(options?: { chunk?: number; until?: () => boolean }): Promise<void>;
}

/** A worker over an input, as the processor would run it. */
export function createHarness(options: {
  definition?: ProcessorDefinition<Sum, SumInput, number>;
  input: readonly LogRecord[];
  store: PartitionStore;
  producer: LogProducer;
  owner: string;
  limits?: Partial<ProcessorLimits>;
  telemetry?: Partial<ProcessorTelemetry>;
  checkContinuity?: WorkerOptions<Sum, number, number>['checkContinuity'];
  snapshots?: PartitionSnapshots;
  /** End of the log whose offsets the input's positions name. */
  sourceEnd?: number;
  clock?: Clock;
}): Harness {
  let cursor: number | undefined;
  const clock = options.clock ?? impatientClock;
  const limits = { ...DEFAULT_LIMITS, fencedRestMs: 1, retryInitialMs: 1, retryMaxMs: 100, ...options.limits };
  const health = new ConsumerHealth({
    consumer: 'summing',
    topic: 'in',
    backoff: { initialMs: limits.retryInitialMs, maxMs: limits.retryMaxMs },
    clock,
    random: () => 0.5,
    metrics: createMetrics({ service: 'test', namespace: 'test', processMetrics: false }),
  });
  health.assigned([0]);
  let owners = 0;
  const worker = new PartitionWorker({
    definition: options.definition ?? summing,
    partition: 0,
    partitions: 1,
    deadLetterTopic: 'dead',
    store: options.store,
    producer: options.producer,
    limits,
    clock,
    random: () => 0.5,
    telemetry: { ...silentTelemetry, ...options.telemetry },
    createOwner: () => `${options.owner}-${owners++}`,
    checkContinuity: options.checkContinuity ?? (async () => options.input.length),
    health,
    snapshots: options.snapshots,
    sourceEnds: new SourceEnds(async () => new Map([[0, { low: 0, high: options.sourceEnd ?? 1_000_000 }]])),
    seek: (_partition, offset) => {
      cursor = offset;
    },
  });
  return {
    worker,
    health,
    async drain({ chunk = 3, until = () => false } = {}) {
      worker.start();
      const last = options.input.length;
      while (!until() && !(worker.next === last && worker.outboxDepth === 0 && !worker.restoring)) {
        const from = cursor;
        if (from !== undefined && from < last) {
          cursor = from + chunk;
          await worker.deliver(options.input.slice(from, from + chunk));
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}
