import { type Log, type LogRecord, readUnread, type Unread } from '@perennial/kafka';
import { AppError } from '@perennial/kernel';
import { readTopic } from '../topic/read.js';

const SESSION_TIMEOUT_MS = 10_000;
const FETCH_BYTES_MAX = 1_048_576;
const FETCH_WAIT_MS_MAX = 200;

/** Records of a topic that a group has not consumed, by partition; `to` is exclusive. Empty partitions are absent. */
export type NewRecords = ReadonlyMap<number, Unread>;

interface Group {
  readonly groupId: string;
  readonly topic: string;
}

type Take = (records: readonly LogRecord[]) => Promise<void>;

export async function findNewRecords(log: Log, { groupId, topic }: Group): Promise<NewRecords> {
  const unread = await readUnread(log, { groupId, topic });
  return new Map([...unread].filter(([, { from, to }]) => from < to));
}

/** Passes them to `take` one by one, and commits nothing. */
export async function lookThrough(log: Log, { topic }: Group, { spans, take }: { spans: NewRecords; take: Take }) {
  await readTopic(log, {
    topic,
    from: new Map([...spans].map(([partition, { from }]) => [partition, from])),
    follow: false,
    signal: new AbortController().signal,
    async onRecord(record) {
      if (record.offset < (spans.get(record.partition)?.to ?? 0)) await take([record]);
      return true;
    },
  });
}

/**
 * Passes them to `take` as a member of the group, in order in each partition, and commits what was taken after each
 * delivery; `take` gets each record once. Records that arrive meanwhile are left. Throws what `take` throws; the record
 * it was given is then still unconsumed.
 */
export async function workThrough(
  log: Log,
  { groupId, topic }: Group,
  { spans, take }: { spans: NewRecords; take: Take },
) {
  const left = new Set(spans.keys());
  let finish: { resolve: () => void; reject: (error: unknown) => void } | undefined;
  const finished = new Promise<void>((resolve, reject) => {
    finish = { resolve, reject };
  });
  const done = (partition: number) => {
    left.delete(partition);
    if (left.size === 0) finish?.resolve();
  };
  let failed = false;
  const fail = (error: unknown) => {
    failed = true;
    finish?.reject(error);
    // Until the group is left the log delivers it again: nothing after it may be committed.
    throw error;
  };

  /** Another run may have consumed a partition before it was assigned to this one. */
  async function skipDone(): Promise<void> {
    for (const [partition, next] of await log.groupOffsets(groupId, topic)) {
      if (next >= (spans.get(partition)?.to ?? 0)) done(partition);
    }
  }

  async function deliver(partition: number, records: readonly LogRecord[]): Promise<void> {
    if (failed) throw new AppError('dependency_unavailable', 'this run has failed');
    const to = spans.get(partition)?.to ?? 0;
    const due = left.has(partition) ? records.filter(({ offset }) => offset < to) : [];
    const next = Math.min(to, (records.at(-1)?.offset ?? -1) + 1);
    if (due.length > 0) {
      await take(due);
      await (await started).commit(new Map([[partition, next]]));
    }
    if (next >= to) done(partition);
  }

  const started = log.startConsumer(
    {
      groupId,
      topic,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      fetchBytesPerPartitionMax: FETCH_BYTES_MAX,
      fetchWaitMaxMs: FETCH_WAIT_MS_MAX,
      fromBeginning: true,
    },
    {
      onAssigned: () => void skipDone().catch((error: unknown) => finish?.reject(error)),
      onRevoked: () => undefined,
      onRecords: (partition, records) => deliver(partition, records).catch(fail),
      onPassed: (partition, next) => {
        if (next >= (spans.get(partition)?.to ?? 0)) done(partition);
      },
    },
  );
  try {
    await finished;
  } finally {
    await (await started).stop();
  }
}
