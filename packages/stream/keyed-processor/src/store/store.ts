import type { Rollout } from '@perennial/contracts';

/** What a commit must find unchanged: whose partition it is, and how far it has come. */
export interface Fence {
  /** A fresh random token of each acquisition; never a counter, since a failover that loses writes could repeat one. */
  readonly owner: string;
  /** Offset of the next record to be processed. */
  readonly next: number;
  /** Number of the last commit: part of a tick, or a restored chunk, does not move `next`, and its loss must show all the same. */
  readonly commits: number;
}

/** What the partition knows besides states, timers and outboxes. */
export interface PartitionMeta {
  readonly next: number;
  /** Outputs of the next record that are committed already (a tick whose timers take several commits). */
  readonly ordinal: number;
  /** Number of the last commit; one that only begins the partition or drops outboxes has none. */
  readonly commits: number;
  /** Highest tick so far, ms; 0 before the first. */
  readonly logTimeMs: number;
  /** Number of the last outbox written; 0 before the first. */
  readonly sequence: number;
  /** Rollouts in force. */
  readonly inForce: readonly Rollout[];
  /** Highest position applied, by source. */
  readonly applied: Readonly<Record<string, { offset: number; ordinal: number }>>;
  /** The snapshot that the partition is being restored from: until it is gone, states are not what `next` says. */
  readonly restoring?: string | undefined;
}

export interface StoredOutbox {
  readonly sequence: number;
  readonly bytes: Buffer;
}

export interface StoredTimer {
  readonly key: string;
  readonly dueAtMs: number;
}

export interface LoadRequest {
  readonly keys: readonly string[];
  /** Also the timers due by `upToMs`, in (dueAt, key) order, at most `limit`, with their states. */
  readonly timers?: { readonly upToMs: number; readonly limit: number };
}

export interface LoadReply {
  /** In the order of the request's keys; null where there is none. */
  readonly states: ReadonlyArray<Buffer | null>;
  readonly timers: ReadonlyArray<StoredTimer & { readonly state: Buffer | null }>;
  /** Due time of the first timer that was not given; undefined when there is no other. */
  readonly nextTimerAtMs: number | undefined;
}

export interface CommitRequest {
  readonly meta: PartitionMeta;
  /** Null removes. */
  readonly states: ReadonlyArray<readonly [key: string, state: Buffer | null]>;
  /** Null removes. */
  readonly timers: ReadonlyArray<readonly [key: string, dueAtMs: number | null]>;
  readonly outbox: StoredOutbox | undefined;
  /** Outboxes of which every record has been acknowledged. */
  readonly acknowledged: readonly number[];
}

/** What a snapshot's read must find: the owner, and a partition that has come at least as far as `nextMin`. */
export interface ReadGuard {
  readonly owner: string;
  /** A store that lost commits is below this offset; a state read from it does not belong to this snapshot. */
  readonly nextMin: number;
}

/** A profile as a snapshot holds it. Its timer is kept apart, since a poison timer is gone though the state still asks for it. */
export interface StoredProfile {
  readonly key: string;
  /** Null for a profile that has none. */
  readonly state: Buffer | null;
  readonly dueAtMs: number | null;
}

/** Profiles with the position at which they were read, all at once. */
export interface ProfileReading {
  readonly next: number;
  readonly ordinal: number;
  /** Outboxes still kept. */
  readonly outboxes: number;
  readonly profiles: readonly StoredProfile[];
}

/** Where a scan begins; every profile that is there all the time is given at least once by the time it ends. */
export const SCAN_START = '0';

/**
 * State of one partition of one processor, all on one hash slot. `load` and `commit` are atomic and fenced: they throw
 * AppError `fenced` and change nothing when the owner, `next` or `commits` is not as expected.
 */
export interface PartitionStore {
  /** Makes `owner` the only one that may commit; gives the meta (undefined for a partition never begun) and the outboxes still kept. */
  acquire(owner: string): Promise<{ meta: PartitionMeta | undefined; outboxes: readonly StoredOutbox[] }>;
  load(fence: Fence, request: LoadRequest): Promise<LoadReply>;
  commit(fence: Fence, request: CommitRequest): Promise<void>;
  /** Some profiles (about `count`) from `cursor` on, and the cursor to go on from; undefined at the end. Fenced by the guard. */
  scan(
    guard: ReadGuard,
    from: { readonly cursor: string; readonly count: number },
  ): Promise<ProfileReading & { readonly cursor: string | undefined }>;
  /** These profiles, in order. Fenced by the guard. */
  peek(guard: ReadGuard, keys: readonly string[]): Promise<ProfileReading>;
  /**
   * Makes the partition one never begun, of the same owner. Fenced by the owner, and by there being nothing to lose: a
   * partition that was begun must be marked as being restored, so that a call repeated late cannot empty one that works.
   */
  wipe(owner: string): Promise<void>;
}

export type OpenPartitionStore = (partition: number) => PartitionStore;

/** A partition before its first commit. */
export const EMPTY_META: PartitionMeta = {
  next: 0,
  ordinal: 0,
  commits: 0,
  logTimeMs: 0,
  sequence: 0,
  inForce: [],
  applied: {},
};
