import { toConsumerGroup } from '@perennial/contracts';
import type { LogRecord } from '@perennial/kafka';
import { findNewRecords, lookThrough, workThrough } from './new-records.js';
import { checkPlaces, type Place, readRecordsAt } from './records-at.js';
import { readRepeats } from './repeats.js';
import { createReplayer, type Replayer, type ReplayOptions, type ReplayReport } from './replayer.js';

/** Records that are read before they are put back, about 100 MB of the largest. */
const PLACES_AT_ONCE_MAX = 100;

/** Puts back what lies at these places, each once. Throws `not_found` before anything is written when one is out of reach. */
export async function replayAt(options: ReplayOptions, places: readonly Place[]): Promise<ReplayReport> {
  const { log, box } = options;
  await checkPlaces(log, box.topic, places);
  const sorted = places
    .toSorted((a, b) => a.partition - b.partition || a.offset - b.offset)
    .filter((place, i, all) => !isSame(place, all[i - 1]));
  return withReplayer(options, { once: false }, async (replayer) => {
    for (let i = 0; i < sorted.length; i += PLACES_AT_ONCE_MAX)
      await replayer.replay(await readRecordsAt(log, box.topic, sorted.slice(i, i + PLACES_AT_ONCE_MAX)));
  });
}

/**
 * Puts back everything since the last time, partition by partition in order. Where that was is kept as the offsets of a
 * consumer group. What was put back and then not remembered (a crash) is put back again, and dropped by position (dead
 * letters) or messageId (events). What comes in meanwhile waits for the next time: it may be the same, not taken again.
 */
export async function replayNew(options: ReplayOptions, namespace: string): Promise<ReplayReport> {
  const { log, box, dryRun } = options;
  const group = { groupId: toConsumerGroup(namespace, 'dlq-replay'), topic: box.topic };
  const spans = await findNewRecords(log, group);
  return withReplayer(options, { once: true }, async (replayer) => {
    if (spans.size === 0) return;
    const repeats = await readRepeats(log, box, new Map([...spans].map(([partition, { from }]) => [partition, from])));
    const take = (records: readonly LogRecord[]) =>
      replayer.replay(records.filter((record) => !repeats.isRepeat(record)));
    await (dryRun ? lookThrough : workThrough)(log, group, { spans, take });
  });
}

async function withReplayer(
  options: ReplayOptions,
  { once }: { once: boolean },
  work: (replayer: Replayer) => Promise<void>,
): Promise<ReplayReport> {
  const replayer = await createReplayer(options, { once });
  try {
    await work(replayer);
    return replayer.report();
  } finally {
    await replayer.close();
  }
}

function isSame(a: Place, b: Place | undefined): boolean {
  return a.partition === b?.partition && a.offset === b.offset;
}
