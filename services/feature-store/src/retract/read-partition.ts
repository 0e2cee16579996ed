import { toTopic } from '@perennial/contracts';
import type { EventArchive } from '@perennial/event-archive';
import { type Log, type LogRecord, readTopic } from '@perennial/kafka';
import { AppError, type Clock, createRandomToken, systemClock } from '@perennial/kernel';

/** Records between two pauses of the event loop. */
const RECORDS_AT_ONCE = 500;
/** Waiting for the log counts as work, and is none. */
const REST_MAX_MS = 1_000;

/** Gives the records of a partition of `event.accepted`, in order, up to its present end. Throws why `signal` aborts. */
export type ReadPartition = (
  partition: number,
  take: (records: readonly LogRecord[]) => Promise<unknown>,
  signal?: AbortSignal,
) => Promise<void>;

export interface PartitionSource {
  readonly namespace: string;
  readonly log: Pick<Log, 'offsets' | 'startConsumer'>;
  /** Undefined when the archive is off: the log must reach back to its first record then. */
  readonly archive: Pick<EventArchive, 'list' | 'readLog'> | undefined;
  /** Share of one thread that reading takes; default: all of it. */
  readonly dutyShareMax?: number;
  /** Replaceable for tests. */
  readonly clock?: Clock;
}

/**
 * Reads the archive and, where that ends, the log: an event may be taken back as soon as it is there. Throws `data_damaged` when
 * neither has all records.
 */
export function createPartitionReader({
  namespace,
  log,
  archive,
  dutyShareMax = 1,
  clock = systemClock,
}: PartitionSource): ReadPartition {
  const topic = toTopic(namespace, 'eventAccepted');
  return async (partition, take, signal) => {
    const pace = new Pace({ dutyShareMax, clock, signal });
    const archived = (await archive?.list())?.get(partition);
    const gap = archived && (archived.first > 0 ? { from: 0, to: archived.first - 1 } : archived.gaps[0]);
    if (gap !== undefined) throw lacking(partition, gap);
    if (archive !== undefined && archived !== undefined) {
      for await (const records of archive.readLog(archived, archived.next)) await takeSome(records, { take, pace });
    }
    const next = archived?.next ?? 0;
    const { low = 0 } = (await log.offsets(topic)).get(partition) ?? {};
    if (low > next) throw lacking(partition, { from: next, to: low - 1 });
    await readTopic(log as Log, {
      topic,
      groupId: `perennial-retraction-${createRandomToken()}`,
      toStart: (one, { high }) => (one === partition ? next : high),
      signal,
      onRecord: async (record) => {
        await take([record]);
        await pace.took(1);
      },
    });
    signal?.throwIfAborted();
  };
}

interface PaceOptions {
  readonly dutyShareMax: number;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
}

/** Rests after some records: live events come first. */
class Pace {
  readonly #options: PaceOptions;
  #workedFromMs: number;
  #records = 0;

  constructor(options: PaceOptions) {
    this.#options = options;
    this.#workedFromMs = options.clock.steadyMs();
  }

  async took(records: number): Promise<void> {
    this.#records += records;
    if (this.#records < RECORDS_AT_ONCE) return;
    this.#records = 0;
    const { dutyShareMax, clock, signal } = this.#options;
    const workedMs = clock.steadyMs() - this.#workedFromMs;
    await clock.wait(Math.min(REST_MAX_MS, (workedMs * (1 - dutyShareMax)) / dutyShareMax), signal);
    signal?.throwIfAborted();
    this.#workedFromMs = clock.steadyMs();
  }
}

async function takeSome(
  records: readonly LogRecord[],
  { take, pace }: { readonly take: Parameters<ReadPartition>[1]; readonly pace: Pace },
): Promise<void> {
  for (let from = 0; from < records.length; from += RECORDS_AT_ONCE) {
    const some = records.slice(from, from + RECORDS_AT_ONCE);
    await take(some);
    await pace.took(some.length);
  }
}

function lacking(partition: number, { from, to }: { readonly from: number; readonly to: number }): AppError {
  return new AppError(
    'data_damaged',
    `partition ${partition}: neither archive nor log has offsets ${from} to ${to}: whether the event counted is not known`,
  );
}
