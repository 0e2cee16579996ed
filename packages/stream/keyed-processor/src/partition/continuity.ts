import type { Log } from '@perennial/kafka';
import { AppError } from '@perennial/kernel';
import type { PartitionMeta } from '../store/store.js';

/**
 * Stops the partition where records would be skipped, so that none is lost silently: throws an AppError that says what
 * to do. Returns where the log ends.
 * @param meta undefined when the store has no data of the partition: it is new, or the store was emptied.
 */
export async function checkContinuity(
  log: Log,
  at: { topic: string; partition: number; processor: string },
  meta: PartitionMeta | undefined,
): Promise<number> {
  const offsets = (await log.offsets(at.topic)).get(at.partition);
  const place = `${at.processor}, partition ${at.partition} of ${at.topic}`;
  if (offsets === undefined) throw new AppError('not_found', `${place}: the topic has no such partition`);
  const next = meta?.next ?? 0;
  if (next < offsets.low) {
    throw new AppError(
      'contract_violation',
      meta === undefined
        ? `${place}: the state store is empty, but the log now begins at ${offsets.low}: the state cannot be rebuilt from it. Restore the state store from a backup.`
        : `${place}: the state stands at offset ${next}, but the log now begins at ${offsets.low}: records between were removed before they were processed. Restore the log, or start a new namespace.`,
    );
  }
  if (next > offsets.high) {
    throw new AppError(
      'contract_violation',
      `${place}: the state stands at offset ${next}, but the log ends at ${offsets.high}: the log lost its tail. Restore the log, or start a new namespace.`,
    );
  }
  return offsets.high;
}
