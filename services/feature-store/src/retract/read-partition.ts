import { toTopic } from '@perennial/contracts';
import type { EventArchive } from '@perennial/event-archive';
import { type Log, type LogRecord, readTopic } from '@perennial/kafka';
import { AppError, createRandomToken } from '@perennial/kernel';

/** Records between two pauses of the event loop. */
const RECORDS_AT_ONCE = 500;

/** Gives the records of a partition of `event.accepted`, in order, up to its present end. */
export type ReadPartition = (
  partition: number,
  take: (records: readonly LogRecord[]) => Promise<unknown>,
) => Promise<void>;

export interface PartitionSource {
  readonly namespace: string;
  readonly log: Pick<Log, 'offsets' | 'startConsumer'>;
  /** Undefined when the archive is off: the log must reach back to its first record then. */
  readonly archive: Pick<EventArchive, 'list' | 'readChain'> | undefined;
}

/**
 * Reads the archive and, where that ends, the log: an event may be taken back as soon as it is there. Throws `data_damaged` when
 * neither has all records.
 */
export function createPartitionReader({ namespace, log, archive }: PartitionSource): ReadPartition {
  const topic = toTopic(namespace, 'eventAccepted');
  return async (partition, take) => {
    const chain = (await archive?.list())?.get(partition);
    const gap = chain && (chain.first > 0 ? { from: 0, to: chain.first - 1 } : chain.gaps[0]);
    if (gap !== undefined) throw lacking(partition, gap);
    if (archive !== undefined && chain !== undefined) {
      for await (const records of archive.readChain(chain, chain.next)) await takeSome(records, take);
    }
    const next = chain?.next ?? 0;
    const { low = 0 } = (await log.offsets(topic)).get(partition) ?? {};
    if (low > next) throw lacking(partition, { from: next, to: low - 1 });
    await readTopic(log as Log, {
      topic,
      groupId: `perennial-retraction-${createRandomToken()}`,
      toStart: (one, { high }) => (one === partition ? next : high),
      onRecord: (record) => take([record]),
    });
  };
}

async function takeSome(records: readonly LogRecord[], take: Parameters<ReadPartition>[1]): Promise<void> {
  for (let from = 0; from < records.length; from += RECORDS_AT_ONCE) {
    await take(records.slice(from, from + RECORDS_AT_ONCE));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function lacking(partition: number, { from, to }: { readonly from: number; readonly to: number }): AppError {
  return new AppError(
    'data_damaged',
    `partition ${partition}: neither archive nor log has offsets ${from} to ${to}: whether the event counted is not known`,
  );
}
