import { PROCESSOR_NAMES, PROCESSORS, type TopicName, toConsumerGroup, toTopic } from '@perennial/contracts';
import { type Log, readUnread, sumLag } from '@perennial/kafka';
import { type Clock, systemClock } from '@perennial/kernel';
import { BACKFILL_LIMITS } from './limits.js';

/** A consumer of the pipeline: its group, and the topic it reads. */
export interface Reader {
  readonly name: string;
  readonly topic: TopicName;
}

/** The processors, in the order in which a record passes through them. */
export const CHAIN: readonly Reader[] = PROCESSOR_NAMES.map((name) => ({ name, topic: PROCESSORS[name].input }));

export type Lags = Readonly<Record<string, number>>;

export interface Quiet {
  readonly quiet: boolean;
  readonly lags: Lags;
}

export interface QuietOptions {
  readonly log: Log;
  readonly namespace: string;
  readonly readers?: readonly Reader[];
  readonly clock?: Clock;
  readonly signal?: AbortSignal | undefined;
  readonly onLags?: (lags: Lags) => void;
}

/**
 * Waits until every consumer has read its topic to the end, twice in a row with the same end offsets, since the output
 * of one is the input of the next. Gives up, and reports it, when there is no progress for a minute or after an hour in
 * total.
 */
export async function waitForQuiet(options: QuietOptions): Promise<Quiet> {
  const clock = options.clock ?? systemClock;
  const startMs = clock.steadyMs();
  let movedMs = startMs;
  let last = '';
  for (;;) {
    const { lags, fingerprint } = await readLags(options);
    options.onLags?.(lags);
    const idle = Object.values(lags).every((lag) => lag === 0);
    if (idle && fingerprint === last) return { quiet: true, lags };
    if (fingerprint !== last) movedMs = clock.steadyMs();
    last = fingerprint;
    const stalled = clock.steadyMs() - movedMs > BACKFILL_LIMITS.quietStallMaxMs;
    if (stalled || clock.steadyMs() - startMs > BACKFILL_LIMITS.quietTotalMaxMs || options.signal?.aborted) {
      return { quiet: false, lags };
    }
    await clock.wait(BACKFILL_LIMITS.quietPollMs, options.signal);
  }
}

/** The lag of each consumer in records, and a text that changes with any progress. */
export async function readLags({
  log,
  namespace,
  readers = CHAIN,
}: QuietOptions): Promise<{ lags: Lags; fingerprint: string }> {
  const lags: Record<string, number> = {};
  const marks: string[] = [];
  for (const { name, topic } of readers) {
    const { lag, mark } = await readLag(log, toConsumerGroup(namespace, name), toTopic(namespace, topic));
    lags[name] = lag;
    marks.push(mark);
  }
  return { lags, fingerprint: marks.join('|') };
}

async function readLag(log: Log, groupId: string, topic: string): Promise<{ lag: number; mark: string }> {
  const unread = await readUnread(log, { groupId, topic });
  const lag = sumLag(unread);
  const total = [...unread.values()].reduce((sum, { to }) => sum + to, 0);
  return { lag, mark: `${total}-${lag}` };
}
