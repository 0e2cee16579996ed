import { encodePosition, HEADERS, isAfter, parsePosition } from '@perennial/contracts';
import type { LogProducer, LogRecord, OutgoingRecord } from '@perennial/kafka';
import { type Clock, systemClock } from '@perennial/kernel';
import type { ProcessorDefinition } from './definition.js';
import { DEFAULT_LIMITS, type ProcessorLimits } from './limits.js';
import { PartitionWorker, type WorkerOptions } from './partition/partition-worker.js';
import type { PartitionSnapshots } from './snapshot/partition-snapshots.js';
import type { PartitionStore } from './store/store.js';
import type { ProcessorTelemetry } from './telemetry.js';

/** A small processor that shows everything: sums per key, emits each sum, wakes 10 ms after the last value. */
export interface Sum {
  readonly sum: number;
  readonly wakeAtMs: number | null;
  readonly woken: number;
}

export const OUT = 'out';
const WAKE_AFTER_MS = 10;
const REMOVABLE_SUM = 100;
/** The factor that cannot come into force. */
export const REFUSED = 13;

/** A value to add, or the end of a profile whose sum is large: what happens depends on the state. */
export type SumInput = number | 'remove';

export const summing = createSumming({ inputTopic: 'in', outputTopic: OUT });

export function createSumming(topics: {
  inputTopic: string;
  outputTopic: string;
}): ProcessorDefinition<Sum, SumInput, number> {
  return {
    name: 'summing',
    inputTopic: topics.inputTopic,
    codec: {
      encode: (state) => Buffer.from(JSON.stringify(state)),
      decode: (bytes) => JSON.parse(bytes.toString()) as Sum,
      timerAtMs: (state) => state.wakeAtMs ?? undefined,
    },
    decode(record) {
      const body = JSON.parse(String(record.value)) as {
        tick?: number;
        value?: SumInput;
        rollout?: number;
      };
      if (body.tick !== undefined) return { kind: 'tick', timeMs: body.tick };
      if (body.rollout !== undefined)
        return { kind: 'rollout', rollout: { kind: 'factor', number: body.rollout, hash: '' } };
      return { kind: 'record', key: String(record.key), input: body.value ?? 0 };
    },
    loadRollout: async ({ number }) => (number === REFUSED ? { reason: 'this one is refused' } : undefined),
    forward: (control) => ({ topic: topics.outputTopic, value: Buffer.from(JSON.stringify(control)) }),
    prepare: async (items) =>
      items.map(({ cause }) => (cause.kind === 'record' && cause.input !== 'remove' ? cause.input * 2 : -1)),
    step({ state, cause, context }, doubled) {
      if (cause.kind === 'record' && cause.input === 'remove') {
        const removed = (state?.sum ?? 0) >= REMOVABLE_SUM;
        const value = Buffer.from(JSON.stringify({ key: context.key, removed, sum: state?.sum }));
        return { state: removed ? undefined : state, outputs: [{ topic: topics.outputTopic, value }] };
      }
      if (cause.kind === 'record' && Number(cause.input) < 0) throw new Error('negative values are poison');
      const factor = context.inForce.get('factor')?.number ?? 1;
      const before: Sum = state ?? { sum: 0, wakeAtMs: null, woken: 0 };
      const after: Sum =
        cause.kind === 'record'
          ? { ...before, sum: before.sum + (doubled / 2) * factor, wakeAtMs: context.logTimeMs + WAKE_AFTER_MS }
          : { ...before, woken: before.woken + 1, wakeAtMs: null };
      const output = { key: context.key, at: context.logTimeMs, cause: cause.kind, ...after };
      return { state: after, outputs: [{ topic: topics.outputTopic, value: Buffer.from(JSON.stringify(output)) }] };
    },
  };
}

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

/** A producer that keeps what it is sent; `onSend` may throw before or after some of it is written. */
export class RecordingProducer implements LogProducer {
  readonly written: OutgoingRecord[] = [];
  onSend: (records: readonly OutgoingRecord[], write: (records: readonly OutgoingRecord[]) => void) => Promise<void> =
    async (records, write) => write(records);

  async send(records: readonly OutgoingRecord[]): Promise<void> {
    await this.onSend(records, (some) => this.written.push(...some));
  }

  async close(): Promise<void> {}
}

/** What a reader sees who drops everything not above the highest position: throws when a position has two contents. */
export function toSeen(written: readonly OutgoingRecord[]): string[] {
  const byPosition = new Map<string, string>();
  const last = new Map<string, { offset: number; ordinal: number }>();
  const seen: string[] = [];
  for (const record of written) {
    const header = record.headers[HEADERS.position] ?? '';
    const content = `${record.topic} ${record.key} ${record.value}`;
    const known = byPosition.get(header);
    if (known !== undefined && known !== content)
      throw new Error(`position ${header} has two contents: ${known} and ${content}`);
    byPosition.set(header, content);
    const position = parsePosition(header);
    if (position === undefined) throw new Error(`no position on ${content}`);
    const before = last.get(position.source);
    if (before !== undefined && !isAfter(position, before)) continue;
    last.set(position.source, position);
    seen.push(`${header} ${content}`);
  }
  return seen;
}

export const silentTelemetry: ProcessorTelemetry = {
  acquired() {},
  released() {},
  fenced() {},
  stalled() {},
  refused() {},
  committed() {},
  published() {},
  publishFailed() {},
  observed() {},
  owns() {},
  consumerFailed() {},
};

/** Time that passes only as fast as the test needs: waits end at once. */
export const impatientClock: Clock = {
  now: () => 0,
  steadyMs: () => 0,
  wait: (ms, signal) => (ms > 1000 ? systemClock.wait(ms, signal) : new Promise((resolve) => setImmediate(resolve))),
};

export interface Harness {
  readonly worker: PartitionWorker<Sum, SumInput, number>;
  /** Feeds the input from wherever the worker seeks to, `chunk` records a delivery, until all is processed or `until` says so. */
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
}): Harness {
  let cursor: number | undefined;
  let owners = 0;
  const worker = new PartitionWorker({
    definition: options.definition ?? summing,
    partition: 0,
    partitions: 1,
    deadLetterTopic: 'dead',
    store: options.store,
    producer: options.producer,
    limits: { ...DEFAULT_LIMITS, fencedRestMs: 1, retryInitialMs: 1, ...options.limits },
    clock: impatientClock,
    random: () => 0.5,
    telemetry: { ...silentTelemetry, ...options.telemetry },
    createOwner: () => `${options.owner}-${owners++}`,
    checkContinuity: options.checkContinuity ?? (async () => {}),
    snapshots: options.snapshots,
    seek: (_partition, offset) => {
      cursor = offset;
    },
  });
  return {
    worker,
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
