import type { Rollout } from '@perennial/contracts';
import type { LogProducer } from '@perennial/kafka';
import { type Clock, retry, systemClock } from '@perennial/kernel';
import { toRolloutRecord } from './records.js';

const ROLLOUT_LIMITS = { attemptsMax: 20, retryInitialMs: 100, retryMaxMs: 5_000 } as const;

/** The last rollout on each partition. */
export interface RolloutLedger {
  load(kind: string): Promise<ReadonlyMap<number, Rollout>>;
  save(partition: number, rollout: Rollout): Promise<void>;
}

/**
 * Writes a rollout to every partition that does not have it as its last of this kind; returns the partitions written.
 * A crash between writing and storing that writes it twice, which changes nothing: the same is in force again.
 */
export async function writeRollout(
  rollout: Rollout,
  deps: {
    readonly producer: LogProducer;
    readonly ledger: RolloutLedger;
    readonly topic: string;
    readonly partitions: number;
    readonly clock?: Clock;
  },
): Promise<readonly number[]> {
  const { producer, ledger, topic, partitions, clock = systemClock } = deps;
  const retrying = <T>(operation: () => Promise<T>) =>
    retry(operation, {
      attemptsMax: ROLLOUT_LIMITS.attemptsMax,
      initialMs: ROLLOUT_LIMITS.retryInitialMs,
      maxMs: ROLLOUT_LIMITS.retryMaxMs,
      clock,
    });
  const last = await retrying(() => ledger.load(rollout.kind));
  const written: number[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    const current = last.get(partition);
    if (current?.number === rollout.number && current.hash === rollout.hash) continue;
    await retrying(() => producer.send([toRolloutRecord(rollout, { topic, partition })]));
    await retrying(() => ledger.save(partition, rollout));
    written.push(partition);
  }
  return written;
}
