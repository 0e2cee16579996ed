import { toConsumerGroup } from '@perennial/contracts';
import type { LogRecord } from '@perennial/kafka';
import { findNewRecords, lookThrough, workThrough } from './new-records.js';
import { readRecordAt } from './read-record-at.js';
import { readRepeats } from './repeats.js';
import { createReplayer, type Replayer, type ReplayOptions, type ReplayReport } from './replayer.js';

/** Where something lies in its box. */
export interface Place {
  readonly partition: number;
  readonly offset: number;
}

/** Puts back what lies at these places, found before the first is written. Throws `not_found` for one that is not there. */
export async function replayAt(options: ReplayOptions, places: readonly Place[]): Promise<ReplayReport> {
  const records: LogRecord[] = [];
  for (const place of places) records.push(await readRecordAt(options.log, { topic: options.box.topic, ...place }));
  return withReplayer(options, { once: false }, (replayer) => replayer.replay(records));
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
