import type { Activation } from '@perennial/contracts';
import type { LogProducer } from '@perennial/kafka';
import { type Clock, retry, systemClock } from '@perennial/kernel';
import { toActivationRecord } from './records.js';

export const ACTIVATE_LIMITS = { attemptsMax: 20, retryInitialMs: 100, retryMaxMs: 5_000 } as const;

/** Which activation each partition was last given. */
export interface ActivationLedger {
  load(kind: string): Promise<ReadonlyMap<number, Activation>>;
  save(partition: number, activation: Activation): Promise<void>;
}

/**
 * Puts an activation on every partition that does not have it as its last of this kind; answers which ones it wrote.
 * A crash between writing and remembering writes it twice, which changes nothing: the same is in force again.
 */
export async function writeActivation(
  activation: Activation,
  deps: {
    readonly producer: LogProducer;
    readonly ledger: ActivationLedger;
    readonly topic: string;
    readonly partitions: number;
    readonly clock?: Clock;
  },
): Promise<readonly number[]> {
  const { producer, ledger, topic, partitions, clock = systemClock } = deps;
  const retrying = <T>(operation: () => Promise<T>) =>
    retry(operation, {
      attemptsMax: ACTIVATE_LIMITS.attemptsMax,
      initialMs: ACTIVATE_LIMITS.retryInitialMs,
      maxMs: ACTIVATE_LIMITS.retryMaxMs,
      clock,
    });
  const last = await retrying(() => ledger.load(activation.kind));
  const written: number[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    const current = last.get(partition);
    if (current?.number === activation.number && current.hash === activation.hash) continue;
    await retrying(() => producer.send([toActivationRecord(activation, { topic, partition })]));
    await retrying(() => ledger.save(partition, activation));
    written.push(partition);
  }
  return written;
}
