import { HEADERS, parsePosition, toConsumerGroup } from '@perennial/contracts';
import type { Log, LogRecord } from '@perennial/kafka';
import { AppError, must, withLimit } from '@perennial/kernel';

/** A processor and the topic that it reads. */
export interface ChainLink {
  readonly processor: string;
  readonly inputTopic: string;
}

/**
 * Offset in the first topic below which nothing is left to publish: all outputs that each processor of the pipeline
 * made of those records, and of their outputs, were acknowledged. A rebuild that publishes nothing may go up to this
 * offset. From there on normal operation publishes again, and readers drop the repeats.
 *
 * All outputs of records below a group's committed offset were published. The first record at or above that offset
 * leads back, position by position, to the record of the first topic that caused it: outputs of that one and later ones
 * may be unpublished.
 */
export async function findPublishedBound(
  log: Log,
  namespace: string,
  { chain, partition }: { readonly chain: readonly ChainLink[]; readonly partition: number },
): Promise<number> {
  let bound = Number.POSITIVE_INFINITY;
  for (const [index, link] of chain.entries()) {
    const { high } = await readOffsets(log, link.inputTopic, partition);
    const group = toConsumerGroup(namespace, link.processor);
    const committed = (await log.groupOffsets(group, link.inputTopic)).get(partition) ?? 0;
    // When a later processor has nothing left to do, the bound of the earlier ones holds for it too.
    if (index > 0 && committed >= high) continue;
    let offset: number | undefined = committed;
    for (let at = index; at > 0 && offset !== undefined; at--) {
      const [above, here] = [must(chain[at - 1], 'a link'), must(chain[at], 'a link')];
      offset = await readCause(log, { topic: here.inputTopic, partition, offset }, above);
    }
    bound = Math.min(bound, offset ?? Number.POSITIVE_INFINITY);
  }
  return bound;
}

/** Records in which the cause is searched. */
const SEARCHED_RECORDS_MAX = 1_000;

/**
 * Offset of the causing record in the preceding topic: the lowest that the next records name, because an outsider may
 * have written some of them with a position that is made up. Undefined when none of them is an output of `above`.
 */
async function readCause(log: Log, at: ReadAt, above: ChainLink): Promise<number | undefined> {
  const { low, high } = await readOffsets(log, at.topic, at.partition);
  const place = `offset ${at.offset} of partition ${at.partition} of ${at.topic}`;
  if (at.offset < low) {
    throw new AppError(
      'contract_violation',
      `the record at ${place} was not processed and is gone, so it is unknown what was published: start a new namespace and fill it from the archive`,
    );
  }
  if (at.offset >= high) return undefined;
  const records = await readRecords(log, { ...at, end: Math.min(high, at.offset + SEARCHED_RECORDS_MAX) });
  const { high: end } = await readOffsets(log, above.inputTopic, at.partition);
  const source = `${above.processor}/${at.partition}`;
  const causes = records
    .map(({ headers }) => parsePosition(headers[HEADERS.position]))
    .filter((position) => position !== undefined && position.source === source && position.offset < end)
    .map((position) => must(position, 'a position').offset);
  return causes.length === 0 ? undefined : Math.min(...causes);
}

interface ReadAt {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

async function readOffsets(log: Log, topic: string, partition: number) {
  const offsets = (await log.offsets(topic)).get(partition);
  if (offsets === undefined) throw new AppError('not_found', `${topic} has no partition ${partition}`);
  return offsets;
}

const READ_TIMEOUT_MS = 60_000;

/** The records from an offset to `end`, which the log has. */
async function readRecords(
  log: Log,
  { topic, partition, offset, end }: ReadAt & { readonly end: number },
): Promise<LogRecord[]> {
  const found: LogRecord[] = [];
  let finish: () => void = () => undefined;
  const reading = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const consumer = await log.startConsumer(
    {
      groupId: `${topic}.rebuild`,
      topic,
      sessionTimeoutMs: 10_000,
      fetchBytesPerPartitionMax: 1024 * 1024,
      fetchWaitMaxMs: 100,
      fromBeginning: true,
    },
    {
      onAssigned: () => void setImmediate(() => consumer.seek(partition, offset)),
      onRevoked: () => undefined,
      async onRecords(from, records) {
        if (from !== partition) return;
        const next = found.at(-1)?.offset ?? offset - 1;
        found.push(...records.filter((record) => record.offset > next && record.offset < end));
        if ((records.at(-1)?.offset ?? 0) >= end - 1) finish();
      },
    },
  );
  const message = `offsets ${offset} to ${end - 1} of partition ${partition} of ${topic} did not come`;
  try {
    await withLimit({ ms: READ_TIMEOUT_MS, message }, () => reading).catch((error: unknown) => {
      // The last offsets may hold no records, but marks of a transaction.
      if (found.length === 0) throw error;
    });
    return found;
  } finally {
    await consumer.stop();
  }
}
