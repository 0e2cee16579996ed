import { isAppError } from '@perennial/kernel';
import type { Log, PartitionOffsets } from './log.js';

/** The unread offsets of one partition; `to` is exclusive. */
export interface Unread {
  readonly from: number;
  readonly to: number;
}

/** The reach of a partition that the log does not name. */
export const NO_RECORDS: PartitionOffsets = { low: 0, high: 0 };

/**
 * @param next offset of the first record not read yet; undefined for a reader that has read nothing. Records that the
 * log has removed do not count.
 */
export function toUnread({ low, high }: PartitionOffsets, next: number | undefined): Unread {
  return { from: Math.min(high, Math.max(low, next ?? low)), to: high };
}

/**
 * The unread offsets of a group for each partition of a topic, by its committed offsets. Throws `not_found` when there
 * is no such topic.
 */
export async function readUnread(
  log: Log,
  { groupId, topic }: { readonly groupId: string; readonly topic: string },
): Promise<ReadonlyMap<number, Unread>> {
  const [ends, committed] = await Promise.all([log.offsets(topic), readCommitted(log, { groupId, topic })]);
  return new Map([...ends].map(([partition, offsets]) => [partition, toUnread(offsets, committed.get(partition))]));
}

/** Number of unread records of a partition. */
export function toLag({ from, to }: Unread): number {
  return to - from;
}

/** Number of unread records over all partitions. */
export function sumLag(unread: ReadonlyMap<number, Unread>): number {
  return [...unread.values()].reduce((sum, one) => sum + toLag(one), 0);
}

/** A group that does not exist yet has read nothing. */
async function readCommitted(
  log: Log,
  { groupId, topic }: { readonly groupId: string; readonly topic: string },
): Promise<ReadonlyMap<number, number>> {
  try {
    return await log.groupOffsets(groupId, topic);
  } catch (error) {
    if (isAppError(error, 'not_found')) return new Map();
    throw error;
  }
}
