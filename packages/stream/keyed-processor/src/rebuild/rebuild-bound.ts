import { HEADERS, parsePosition, toConsumerGroup } from '@perennial/contracts';
import type { Log, LogRecord } from '@perennial/kafka';
import { AppError, withLimit } from '@perennial/kernel';

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
    let offset = committed;
    for (const above of chain.slice(1, index + 1).reverse()) {
      offset = await readCause(log, { topic: above.inputTopic, partition, offset });
    }
    bound = Math.min(bound, offset);
  }
  return bound;
}

/** Offset of the causing record in the preceding topic. */
async function readCause(
  log: Log,
  at: { readonly topic: string; readonly partition: number; readonly offset: number },
): Promise<number> {
  const { low } = await readOffsets(log, at.topic, at.partition);
  const place = `offset ${at.offset} of partition ${at.partition} of ${at.topic}`;
  if (at.offset < low) {
    throw new AppError(
      'contract_violation',
      `the record at ${place} was not processed and is gone, so it is unknown what was published: start a new namespace and fill it from the archive`,
    );
  }
  const record = await readRecord(log, at);
  const position = parsePosition(record.headers[HEADERS.position]);
  if (position === undefined) throw new AppError('contract_violation', `the record at ${place} has no position`);
  return position.offset;
}

async function readOffsets(log: Log, topic: string, partition: number) {
  const offsets = (await log.offsets(topic)).get(partition);
  if (offsets === undefined) throw new AppError('not_found', `${topic} has no partition ${partition}`);
  return offsets;
}

const READ_TIMEOUT_MS = 60_000;

/** The record at the offset, or the next one: an offset may have no record, as the end of a transaction has none. */
async function readRecord(
  log: Log,
  { topic, partition, offset }: { readonly topic: string; readonly partition: number; readonly offset: number },
): Promise<LogRecord> {
  let found: (record: LogRecord) => void = () => undefined;
  const reading = new Promise<LogRecord>((resolve) => {
    found = resolve;
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
        const record = from === partition ? records.find((candidate) => candidate.offset >= offset) : undefined;
        if (record !== undefined) found(record);
      },
    },
  );
  const message = `offset ${offset} of partition ${partition} of ${topic} did not come`;
  try {
    return await withLimit({ ms: READ_TIMEOUT_MS, message }, () => reading);
  } finally {
    await consumer.stop();
  }
}
