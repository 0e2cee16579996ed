import { randomUUID } from 'node:crypto';
import { type Log, type LogRecord, type PartitionOffsets, readTopic as readRecords } from '@perennial/kafka';
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
  const { topic, from, limit, follow, signal, onRecord } = options;
  if (limit === 0) return 0;
  const toFrom = (partition: number): From => (typeof from === 'object' ? (from.get(partition) ?? 'end') : from);
  let count = 0;
  await readRecords(log, {
    ...{ topic, follow, signal },
    groupId: `perennial.cli.${randomUUID()}`,
    toStart: (partition, range) => toStartOffset(toFrom(partition), range),
    onRecord: async (record) => {
      if (await onRecord(record)) count++;
      return count === limit ? 'stop' : undefined;
    },
  });
  return count;
}
