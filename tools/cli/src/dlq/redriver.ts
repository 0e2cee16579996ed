import { type Log, type LogRecord, type OutgoingRecord, sizeOfRecord } from '@perennial/kafka';
import { isAppError } from '@perennial/kernel';
import type { Queue } from './queue.js';

/** Of one record re-published; a broker takes batches of 1 MiB and a little unless told otherwise. */
export const REDRIVE_BYTES_MAX = 1_048_000;
/** How many of those not re-published are named. */
const SKIPPED_SHOWN_MAX = 100;

/** What came of it. */
export interface RedriveReport {
  /** Records re-published, by the topic that they went to. */
  readonly redriven: Readonly<Record<string, number>>;
  /** Of these, timers of single profiles. */
  readonly timers: number;
  readonly skippedCount: number;
  readonly skipped: ReadonlyArray<{ readonly position: string; readonly reason: string }>;
}

export interface RedriveOptions {
  readonly log: Log;
  readonly queue: Queue;
  /** Writes nothing and remembers nothing. */
  readonly dryRun: boolean;
}

/** Turns records into what is re-published, writes it and counts. */
export interface Redriver {
  redrive(records: readonly LogRecord[]): Promise<void>;
  report(): RedriveReport;
  close(): Promise<void>;
}

/** `once` as in `Queue.toRedrive`. */
export async function createRedriver(
  { log, queue, dryRun }: RedriveOptions,
  { once }: { once: boolean },
): Promise<Redriver> {
  const producer = dryRun ? undefined : await log.createProducer();
  const countPartitions = createPartitionCounter(log);
  const redriven: Record<string, number> = {};
  const skipped: Array<{ position: string; reason: string }> = [];
  let skippedCount = 0;
  let timers = 0;

  async function toOutgoing(record: LogRecord): Promise<OutgoingRecord | undefined> {
    const redrive = await queue.toRedrive(record, { once });
    const reason =
      'skipped' in redrive
        ? redrive.skipped
        : findObstacle(redrive.record, { partitions: await countPartitions(redrive.record.topic) });
    if ('record' in redrive && reason === undefined) return redrive.record;
    skippedCount++;
    const position = `${record.partition}:${record.offset}`;
    if (skipped.length < SKIPPED_SHOWN_MAX) skipped.push({ position, reason: String(reason) });
    return undefined;
  }

  return {
    async redrive(records) {
      const outgoing: OutgoingRecord[] = [];
      let timersHere = 0;
      for (const record of records) {
        const one = await toOutgoing(record);
        if (one === undefined) continue;
        outgoing.push(one);
        if (queue.toEntry(record)?.kind === 'timer') timersHere++;
      }
      await producer?.send(outgoing);
      timers += timersHere;
      for (const { topic } of outgoing) redriven[topic] = (redriven[topic] ?? 0) + 1;
    },
    report: () => ({ redriven, timers, skippedCount, skipped }),
    close: async () => producer?.close(),
  };
}

/** Why the log would refuse a record, and everything sent with it; undefined when it would not. */
function findObstacle(record: OutgoingRecord, { partitions }: { partitions: number }): string | undefined {
  if (record.partition >= partitions) return `there is no partition ${record.partition} of ${record.topic}`;
  const bytes = sizeOfRecord(record);
  if (bytes > REDRIVE_BYTES_MAX)
    return `it is too large to be re-published: ${bytes} bytes, ${REDRIVE_BYTES_MAX} at most`;
  return undefined;
}

/** Asks once a topic; 0 for one that is not there. */
function createPartitionCounter(log: Log): (topic: string) => Promise<number> {
  const counts = new Map<string, Promise<number>>();
  const count = async (topic: string) => {
    try {
      return (await log.offsets(topic)).size;
    } catch (error) {
      if (isAppError(error, 'not_found')) return 0;
      throw error;
    }
  };
  return (topic) => {
    const counted = counts.get(topic) ?? count(topic);
    counts.set(topic, counted);
    return counted;
  };
}
