import { toConsumerGroup } from '@perennial/contracts';
import type { LogRecord } from '@perennial/kafka';
import { findNewRecords, lookThrough, workThrough } from './new-records.js';
import { checkPositions, type QueuePosition, readRecordsAt } from './records-at.js';
import { createRedriver, type RedriveOptions, type RedriveReport, type Redriver } from './redriver.js';
import { readRepeats } from './repeats.js';

/** Records that are read before they are re-published, about 100 MB of the largest. */
const POSITIONS_AT_ONCE_MAX = 100;

/** Re-publishes the records at these positions, each once. Throws `not_found` before any write when one is missing. */
export async function redriveAt(options: RedriveOptions, positions: readonly QueuePosition[]): Promise<RedriveReport> {
  const { log, queue } = options;
  await checkPositions(log, queue.topic, positions);
  const sorted = positions
    .toSorted((a, b) => a.partition - b.partition || a.offset - b.offset)
    .filter((position, i, all) => !isSame(position, all[i - 1]));
  return withRedriver(options, { once: false }, async (redriver) => {
    for (let i = 0; i < sorted.length; i += POSITIONS_AT_ONCE_MAX)
      await redriver.redrive(await readRecordsAt(log, queue.topic, sorted.slice(i, i + POSITIONS_AT_ONCE_MAX)));
  });
}

/**
 * Re-publishes everything since the last run, partition by partition in order. The progress is kept as the offsets of a
 * consumer group. What was re-published but not committed (a crash) is re-published again, and dropped by position
 * (dead letters) or messageId (events). Records that arrive meanwhile wait for the next run: they may be the same ones,
 * rejected again.
 */
export async function redriveNew(options: RedriveOptions, namespace: string): Promise<RedriveReport> {
  const { log, queue, dryRun } = options;
  const group = { groupId: toConsumerGroup(namespace, 'dlq-redrive'), topic: queue.topic };
  const spans = await findNewRecords(log, group);
  return withRedriver(options, { once: true }, async (redriver) => {
    if (spans.size === 0) return;
    const repeats = await readRepeats(
      log,
      queue,
      new Map([...spans].map(([partition, { from }]) => [partition, from])),
    );
    const take = (records: readonly LogRecord[]) =>
      redriver.redrive(records.filter((record) => !repeats.isRepeat(record)));
    await (dryRun ? lookThrough : workThrough)(log, group, { spans, take });
  });
}

async function withRedriver(
  options: RedriveOptions,
  { once }: { once: boolean },
  work: (redriver: Redriver) => Promise<void>,
): Promise<RedriveReport> {
  const redriver = await createRedriver(options, { once });
  try {
    await work(redriver);
    return redriver.report();
  } finally {
    await redriver.close();
  }
}

function isSame(a: QueuePosition, b: QueuePosition | undefined): boolean {
  return a.partition === b?.partition && a.offset === b.offset;
}
