import { randomUUID } from 'node:crypto';
import type { Log, LogConsumer, LogRecord, PartitionOffsets } from '@perennial/kafka';
import { InvalidArgumentError } from 'commander';

/** Where to begin in each partition; a negative number counts from its end. */
export type From = 'beginning' | 'end' | number;

export interface ReadOptions {
  readonly topic: string;
  /** By partition where it is a map: a partition that is not in it is skipped. */
  readonly from: From | ReadonlyMap<number, number>;
  /** At most this many records; absent means all. */
  readonly limit?: number | undefined;
  /** Continue with new records instead of ending at the present end. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
  /** Returns false for a record that does not count against the limit. Reading waits for it. */
  readonly onRecord: (record: LogRecord) => boolean | Promise<boolean>;
}

const SESSION_TIMEOUT_MS = 10_000;
const FETCH_BYTES_MAX = 1_048_576;
const FETCH_WAIT_MS_MAX = 200;

export function parseFrom(text: string): From {
  if (text === 'beginning' || text === 'end') return text;
  if (/^-?\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be beginning, end, an offset, or -N for the last N of each partition.');
}

/** The first offset to read of a partition, within the range of the log. */
export function toStartOffset(from: From, { low, high }: PartitionOffsets): number {
  if (from === 'beginning') return low;
  if (from === 'end') return high;
  return Math.min(high, Math.max(low, from < 0 ? high + from : from));
}

/** Reads a topic with its own group, which commits nothing. Resolves at the end, at the limit, or on abort. */
export async function readTopic(log: Log, options: ReadOptions): Promise<number> {
  const offsets = await log.offsets(options.topic);
  const toFrom = (partition: number): From =>
    typeof options.from === 'object' ? (options.from.get(partition) ?? 'end') : options.from;
  const starts = new Map(
    [...offsets].map(([partition, range]) => [partition, toStartOffset(toFrom(partition), range)]),
  );
  const unfinished = new Set(
    options.follow
      ? offsets.keys()
      : [...offsets]
          .filter(([partition, { high }]) => (starts.get(partition) ?? 0) < high)
          .map(([partition]) => partition),
  );
  if (unfinished.size === 0 || options.limit === 0) return 0;
  let count = 0;
  let consumer: LogConsumer | undefined;
  await new Promise<void>((resolve, reject) => {
    options.signal.addEventListener('abort', () => resolve(), { once: true });
    const take = async (record: LogRecord) => {
      const before = record.offset < (starts.get(record.partition) ?? 0);
      const after = !options.follow && record.offset >= (offsets.get(record.partition)?.high ?? 0);
      if (before || after || count === options.limit) return;
      const counts = options.onRecord(record);
      if (typeof counts === 'boolean' ? counts : await counts) count++;
      if (count === options.limit) resolve();
    };
    const handlers = {
      onAssigned: (partitions: readonly number[]) => {
        for (const partition of partitions) consumer?.seek(partition, starts.get(partition) ?? 0);
      },
      onRevoked: () => undefined,
      onRecords: async (partition: number, records: readonly LogRecord[]) => {
        for (const record of records) await take(record);
        const next = (records.at(-1)?.offset ?? -1) + 1;
        if (!options.follow && next >= (offsets.get(partition)?.high ?? 0)) unfinished.delete(partition);
        if (unfinished.size === 0) resolve();
      },
    };
    log
      .startConsumer(
        {
          groupId: `perennial.cli.${randomUUID()}`,
          topic: options.topic,
          sessionTimeoutMs: SESSION_TIMEOUT_MS,
          fetchBytesPerPartitionMax: FETCH_BYTES_MAX,
          fetchWaitMaxMs: FETCH_WAIT_MS_MAX,
          fromBeginning: true,
        },
        handlers,
      )
      .then((started) => {
        consumer = started;
      }, reject);
  });
  await consumer?.stop();
  return count;
}
