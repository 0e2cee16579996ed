import { AppError, type Clock, systemClock } from '@perennial/kernel';
import type { Log, LogConsumer, LogRecord, PartitionOffsets } from './log.js';

const READ_LIMITS = {
  sessionTimeoutMs: 10_000,
  fetchBytesPerPartitionMax: 1 << 20,
  fetchWaitMaxMs: 100,
  /** Reading fails when nothing arrives for this long. */
  stallMaxMs: 30_000,
} as const;

export interface ReadTopicOptions {
  readonly topic: string;
  /** A separate group; it commits nothing. */
  readonly groupId: string;
  /** Where to begin in a partition; default: at its first record. One that begins at its end is not read. */
  readonly toStart?: (partition: number, offsets: PartitionOffsets) => number;
  /** Goes on with new records instead of ending at the present end. */
  readonly follow?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Reading waits for it, and ends where it returns `stop`. */
  readonly onRecord: (record: LogRecord) => unknown;
  readonly clock?: Clock;
}

/**
 * Reads a topic up to the end that it has at the call. The end is before an open transaction, and offsets without a
 * record count as read: so reading ends whatever was written. Throws `timeout` when nothing arrives for 30 s.
 */
export async function readTopic(log: Log, options: ReadTopicOptions): Promise<void> {
  const { topic, groupId, signal, follow = false, clock = systemClock } = options;
  const reading = new Reading(await log.offsets(topic), options);
  if (reading.isDone || signal?.aborted) return;
  let consumer: LogConsumer | undefined;
  const watching = new AbortController();
  const ended = new Promise<void>((resolve, reject) => {
    signal?.addEventListener('abort', () => resolve(), { once: true, signal: watching.signal });
    reading.onEnd = resolve;
    reading.onFailure = reject;
  });
  ended.catch(() => undefined);
  consumer = await log.startConsumer(
    { ...READ_LIMITS, groupId, topic, fromBeginning: true },
    {
      onAssigned: (partitions) => {
        for (const partition of partitions) consumer?.seek(partition, reading.startOf(partition));
      },
      onRevoked: () => undefined,
      onRecords: (partition, records) => reading.take(partition, records),
      onPassed: (partition, next) => reading.pass(partition, next),
    },
  );
  const stalled = follow ? ended : watchStall(reading, { clock, signal: watching.signal, topic });
  try {
    await Promise.race([ended, stalled]);
  } finally {
    watching.abort();
    await consumer.stop();
  }
}

/** How far a topic has been read. */
class Reading {
  readonly #options: ReadTopicOptions;
  readonly #starts: ReadonlyMap<number, number>;
  /** Where each partition ends that is still being read; without a limit where new records are followed. */
  readonly #ends: Map<number, number>;
  readonly #clock: Clock;
  #isStopped = false;
  onEnd: () => void = () => undefined;
  onFailure: (error: unknown) => void = () => undefined;
  /** When something arrived last. */
  lastMs: number;

  constructor(offsets: ReadonlyMap<number, PartitionOffsets>, options: ReadTopicOptions) {
    const { toStart = (_partition, { low }) => low, follow = false, clock = systemClock } = options;
    this.#options = options;
    this.#clock = clock;
    this.#starts = new Map([...offsets].map(([partition, range]) => [partition, toStart(partition, range)]));
    this.#ends = new Map(
      [...offsets]
        .map(([partition, { high }]) => [partition, follow ? Number.POSITIVE_INFINITY : high] as const)
        .filter(([partition, end]) => this.startOf(partition) < end),
    );
    this.lastMs = clock.steadyMs();
  }

  get isDone(): boolean {
    return this.#isStopped || this.#ends.size === 0;
  }

  startOf(partition: number): number {
    return this.#starts.get(partition) ?? 0;
  }

  async take(partition: number, records: readonly LogRecord[]): Promise<void> {
    const end = this.#ends.get(partition) ?? 0;
    try {
      for (const record of records) {
        if (this.isDone) break;
        if (record.offset < this.startOf(partition) || record.offset >= end) continue;
        if ((await this.#options.onRecord(record)) === 'stop') this.#isStopped = true;
      }
    } catch (error) {
      this.#isStopped = true;
      this.onFailure(error);
    }
    this.pass(partition, (records.at(-1)?.offset ?? -1) + 1);
  }

  pass(partition: number, next: number): void {
    this.lastMs = this.#clock.steadyMs();
    if (next >= (this.#ends.get(partition) ?? 0)) this.#ends.delete(partition);
    if (this.isDone) this.onEnd();
  }
}

async function watchStall(
  reading: { readonly lastMs: number },
  { clock, signal, topic }: { clock: Clock; signal: AbortSignal; topic: string },
): Promise<void> {
  while (!signal.aborted) {
    await clock.wait(1000, signal);
    if (!signal.aborted && clock.steadyMs() - reading.lastMs > READ_LIMITS.stallMaxMs) {
      throw new AppError('timeout', `${topic} brought nothing for ${READ_LIMITS.stallMaxMs} ms`);
    }
  }
}
