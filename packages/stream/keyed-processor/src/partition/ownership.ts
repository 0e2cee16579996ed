import type { LogRecord } from '@perennial/kafka';
import type { AppError, BoundedQueue, Mutex } from '@perennial/kernel';
import type { CatchUp } from '../snapshot/catch-up.js';
import type { ChangedKeys } from '../snapshot/changed-keys.js';
import type { Fence, PartitionMeta } from '../store/store.js';
import type { OutboxPublisher } from './publisher.js';
import type { StateCache } from './state-cache.js';

/** What is valid while a worker owns its partition; all of it is dropped as soon as the partition is fenced. */
export interface Ownership<State> {
  readonly owner: string;
  readonly queue: BoundedQueue<LogRecord>;
  readonly publisher: OutboxPublisher;
  readonly cache: StateCache<State>;
  /** Held by each batch: while another caller holds it, no commit is in flight. */
  readonly mutex: Mutex;
  readonly changes: ChangedKeys;
  /** Set while the partition is being restored. */
  catchUp: CatchUp | undefined;
  meta: PartitionMeta;
  /** No timer in the store is due before this time. */
  timersFromMs: number;
  /** Offset of the next record to be queued. */
  expected: number;
  /** The owner has sought to its offset; records delivered before that are from an earlier position. */
  asked: boolean;
  /** First offset of an unexpected delivery: a stray, unless it is delivered again. */
  strayAt: number | undefined;
  /** The log cannot continue from this offset: nothing more is accepted until the partition is acquired again. */
  broken: boolean;
  /** What ended the ownership, unless a batch found out. */
  endedBy: AppError | undefined;
}

export type Endable = Pick<Ownership<never>, 'queue' | 'endedBy'>;

/**
 * Ends an ownership from outside its batches, which may wait long for records: the partition is then acquired again.
 */
export function endOwnership(own: Endable, cause: AppError): void {
  own.endedBy ??= cause;
  own.queue.close();
}

export function toFence(own: { readonly owner: string; readonly meta: PartitionMeta }): Fence {
  return { owner: own.owner, next: own.meta.next, commits: own.meta.commits };
}
