import { AppError, type Clock, systemClock } from '@perennial/kernel';
import type { Log, LogConsumer, LogRecord } from './log.js';

const READ_LIMITS = {
  sessionTimeoutMs: 10_000,
  fetchBytesPerPartitionMax: 1 << 20,
  fetchWaitMaxMs: 100,
  /** Reading fails when no record arrives for this long. */
  stallMaxMs: 30_000,
} as const;

export interface ReadTopicOptions {
  readonly topic: string;
  /** A separate group; it commits nothing. */
  readonly groupId: string;
  readonly onRecord: (record: LogRecord) => void;
  readonly clock?: Clock;
}

/** Reads a topic from its beginning to the end that it has at the call. */
export async function readTopic(
  log: Log,
  { topic, groupId, onRecord, clock = systemClock }: ReadTopicOptions,
): Promise<void> {
  const offsets = await log.offsets(topic);
  const left = new Map(
    [...offsets].filter(([, { low, high }]) => high > low).map(([partition, { high }]) => [partition, high]),
  );
  if (left.size === 0) return;
  let finish: () => void = () => undefined;
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let lastMs = clock.steadyMs();
  let consumer: LogConsumer | undefined;
  const handlers = {
    onAssigned: (partitions: readonly number[]) => {
      for (const partition of partitions) consumer?.seek(partition, offsets.get(partition)?.low ?? 0);
    },
    onRevoked: () => undefined,
    onRecords: async (partition: number, records: readonly LogRecord[]) => {
      lastMs = clock.steadyMs();
      const end = left.get(partition);
      if (end === undefined) return;
      for (const record of records) if (record.offset < end) onRecord(record);
      if ((records.at(-1)?.offset ?? -1) >= end - 1) left.delete(partition);
      if (left.size === 0) finish();
    },
  };
  consumer = await log.startConsumer({ ...READ_LIMITS, groupId, topic, fromBeginning: true }, handlers);
  const watching = new AbortController();
  const stalled = watchStall(() => lastMs, { clock, signal: watching.signal, topic });
  try {
    await Promise.race([done, stalled]);
  } finally {
    watching.abort();
    await consumer.stop();
  }
}

async function watchStall(
  last: () => number,
  { clock, signal, topic }: { clock: Clock; signal: AbortSignal; topic: string },
): Promise<void> {
  while (!signal.aborted) {
    await clock.wait(1000, signal);
    if (!signal.aborted && clock.steadyMs() - last() > READ_LIMITS.stallMaxMs) {
      throw new AppError('timeout', `${topic} brought nothing for ${READ_LIMITS.stallMaxMs} ms`);
    }
  }
}
