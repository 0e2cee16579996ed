import type { Log } from '@perennial/kafka';
import { readTopic } from '../topic/read.js';
import type { Entry, Queue } from './queue.js';
import { Repeats } from './repeats.js';

export interface ListFilter {
  readonly processor?: string | undefined;
  /** A substring of the cause, case-insensitive. */
  readonly cause?: string | undefined;
}

/** What a list shows of an entry: everything but its value. */
export type Row = Omit<Entry, 'headers' | 'value'>;

export interface Listing {
  /** The newest ones, oldest first. */
  readonly rows: readonly Row[];
  /** Number of all that match. */
  readonly count: number;
}

/** The newest `limit` matching entries of a queue; the whole queue is read, only that many entries are kept. */
export async function listEntries(
  log: Log,
  queue: Queue,
  { filter, limit }: { filter: ListFilter; limit: number },
): Promise<Listing> {
  let rows: Row[] = [];
  const repeats = new Repeats(queue);
  const count = await readTopic(log, {
    topic: queue.topic,
    from: 'beginning',
    follow: false,
    signal: new AbortController().signal,
    onRecord(record) {
      if (repeats.isRepeat(record)) return false;
      const entry = queue.toEntry(record);
      if (entry === undefined || !isMatch(entry, filter)) return false;
      const { headers: _headers, value: _value, ...row } = entry;
      rows.push(row);
      // Partitions are read one after another, so the newest entries overall are known only at the end.
      if (rows.length >= 2 * limit + 1) rows = toNewest(rows, limit);
      return true;
    },
  });
  return { rows: toNewest(rows, limit), count };
}

function toNewest(rows: readonly Row[], limit: number): Row[] {
  const sorted = rows.toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
  return limit === 0 ? [] : sorted.slice(-limit);
}

function isMatch(entry: Entry, { processor, cause }: ListFilter): boolean {
  if (processor !== undefined && entry.processor !== processor) return false;
  return cause === undefined || entry.cause.toLowerCase().includes(cause.toLowerCase());
}
