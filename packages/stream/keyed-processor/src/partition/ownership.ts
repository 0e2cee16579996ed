import type { LogRecord } from '@perennial/kafka';
import type { AppError, BoundedQueue, Mutex } from '@perennial/kernel';
import type { CatchUp } from '../snapshot/catch-up.js';
import type { ChangedKeys } from '../snapshot/changed-keys.js';
import type { Fence, PartitionMeta } from '../store/store.js';
import type { OutboxPublisher } from './publisher.js';
import type { StateCache } from './state-cache.js';

/** What holds while a worker owns its partition: gone, all of it, as soon as it is fenced. */
export interface Ownership<State> {
  readonly owner: string;
  readonly queue: BoundedQueue<LogRecord>;
  readonly publisher: OutboxPublisher;
  readonly cache: StateCache<State>;
  /** Held by each batch: while another holds it, no commit is under way. */
  readonly mutex: Mutex;
  readonly changes: ChangedKeys;
  /** While the partition is being restored. */
  catchUp: CatchUp | undefined;
  meta: PartitionMeta;
  /** No timer of the store is due before this. */
  timersFromMs: number;
  /** Offset of the next record to be queued. */
  expected: number;
  /** The owner has sought to its offset; records delivered before that belong to an earlier position. */
  asked: boolean;
  /** Where a delivery began that was not expected there: a stray, unless it comes again. */
  strayAt: number | undefined;
  /** The log cannot continue from there: nothing more is taken in, until the partition is acquired anew. */
  broken: boolean;
  /** What ended it, where it was not a batch that found out. */
  endedBy: AppError | undefined;
}

export type Endable = Pick<Ownership<never>, 'queue' | 'endedBy'>;

/** Ends an ownership from outside its batches, which may wait long for records: the partition is then acquired anew. */
export function endOwnership(own: Endable, cause: AppError): void {
  own.endedBy ??= cause;
  own.queue.close();
}

export function toFence(own: { readonly owner: string; readonly meta: PartitionMeta }): Fence {
  return { owner: own.owner, next: own.meta.next, commits: own.meta.commits };
}
