import { type Log, type LogRecord, type OutgoingRecord, sizeOfRecord } from '@perennial/kafka';
import { isAppError } from '@perennial/kernel';
import type { Queue } from './queue.js';

/** Largest re-published record; a broker accepts batches of slightly over 1 MiB by default. */
export const REDRIVE_BYTES_MAX = 1_048_000;
/** How many of the records not re-published are listed. */
const SKIPPED_SHOWN_MAX = 100;

/** Result of a redrive. */
export interface RedriveReport {
  /** Records re-published, by target topic. */
  readonly redriven: Readonly<Record<string, number>>;
  /** Of these, timers of single profiles. */
  readonly timers: number;
  readonly skippedCount: number;
  readonly skipped: ReadonlyArray<{ readonly position: string; readonly reason: string }>;
}

export interface RedriveOptions {
  readonly log: Log;
  readonly queue: Queue;
  /** Writes and commits nothing. */
  readonly dryRun: boolean;
}

/** Converts records to what is re-published, writes it and counts. */
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

  async function toOutgoing(record: LogRecord): Promise<readonly OutgoingRecord[]> {
    const redrive = await queue.toRedrive(record, { once });
    const reason = 'skipped' in redrive ? redrive.skipped : await findObstacleIn(redrive.records);
    if ('records' in redrive && reason === undefined) return redrive.records;
    skippedCount++;
    const position = `${record.partition}:${record.offset}`;
    if (skipped.length < SKIPPED_SHOWN_MAX) skipped.push({ position, reason: String(reason) });
    return [];
  }

  async function findObstacleIn(records: readonly OutgoingRecord[]): Promise<string | undefined> {
    for (const record of records) {
      const reason = findObstacle(record, { partitions: await countPartitions(record.topic) });
      if (reason !== undefined) return reason;
    }
    return undefined;
  }

  return {
    async redrive(records) {
      const outgoing: OutgoingRecord[] = [];
      let timersHere = 0;
      for (const record of records) {
        const written = await toOutgoing(record);
        if (written.length === 0) continue;
        outgoing.push(...written);
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

/** Why the log would reject a record, and everything sent with it; undefined when it would not. */
function findObstacle(record: OutgoingRecord, { partitions }: { partitions: number }): string | undefined {
  if (record.partition >= partitions) return `there is no partition ${record.partition} of ${record.topic}`;
  const bytes = sizeOfRecord(record);
  if (bytes > REDRIVE_BYTES_MAX)
    return `it is too large to be re-published: ${bytes} bytes, ${REDRIVE_BYTES_MAX} at most`;
  return undefined;
}

/** Looked up once a topic; 0 for one that does not exist. */
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
