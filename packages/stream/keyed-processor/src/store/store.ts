import type { Rollout } from '@perennial/contracts';

/** What a commit must find unchanged: the owner, and how far the partition is processed. */
export interface Fence {
  /**
   * A fresh random token for each acquisition; never a counter, because a failover that loses writes could repeat one.
   */
  readonly owner: string;
  /** Offset of the next record to be processed. */
  readonly next: number;
  /**
   * Number of the last commit: part of a tick, or a restored chunk, does not move `next`, but its loss must be detected
   * too.
   */
  readonly commits: number;
}

/** The partition's data besides states, timers and outboxes. */
export interface PartitionMeta {
  readonly next: number;
  /** Outputs of the next record that are committed already (a tick whose timers take several commits). */
  readonly ordinal: number;
  /** Number of the last commit; a commit that only begins the partition or drops outboxes has none. */
  readonly commits: number;
  /** Highest tick so far, ms; 0 before the first. */
  readonly logTimeMs: number;
  /** Number of the last outbox written; 0 before the first. */
  readonly sequence: number;
  /** Rollouts in force. */
  readonly inForce: readonly Rollout[];
  /** Highest position applied, by source. */
  readonly applied: Readonly<Record<string, { offset: number; ordinal: number }>>;
  /**
   * The snapshot that the partition is being restored from: while it is set, the states do not correspond to `next`.
   */
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
  /** Due time of the first timer that was not returned; undefined when there is no other. */
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

/** What a snapshot's read must find: the owner, and a partition that is processed at least up to `nextMin`. */
export interface ReadGuard {
  readonly owner: string;
  /** A store that lost commits is below this offset; a state read from it is not part of this snapshot. */
  readonly nextMin: number;
}

/**
 * A profile as a snapshot holds it. The timer is separate from the state: a poison timer is removed though the state
 * still asks for it.
 */
export interface StoredProfile {
  readonly key: string;
  /** Null for a profile that has none. */
  readonly state: Buffer | null;
  readonly dueAtMs: number | null;
}

/** Profiles with the position at which they were read, in one atomic read. */
export interface ProfileReading {
  readonly next: number;
  readonly ordinal: number;
  /** Outboxes still kept. */
  readonly outboxes: number;
  readonly profiles: readonly StoredProfile[];
}

/** Where a scan begins. Every profile that exists during the whole scan is returned at least once. */
export const SCAN_START = '0';

/**
 * State of one partition of one processor, all on one hash slot. `load` and `commit` are atomic and fenced: they throw
 * AppError `fenced` and change nothing when the owner, `next` or `commits` is not as expected.
 */
export interface PartitionStore {
  /**
   * Makes `owner` the only one that may commit; returns the meta (undefined for a partition never begun) and the
   * outboxes still kept.
   */
  acquire(owner: string): Promise<{ meta: PartitionMeta | undefined; outboxes: readonly StoredOutbox[] }>;
  load(fence: Fence, request: LoadRequest): Promise<LoadReply>;
  commit(fence: Fence, request: CommitRequest): Promise<void>;
  /** Some profiles (about `count`) from `cursor` on, and the next cursor; undefined at the end. Fenced by the guard. */
  scan(
    guard: ReadGuard,
    from: { readonly cursor: string; readonly count: number },
  ): Promise<ProfileReading & { readonly cursor: string | undefined }>;
  /** These profiles, in order. Fenced by the guard. */
  peek(guard: ReadGuard, keys: readonly string[]): Promise<ProfileReading>;
  /**
   * Resets the partition to one never begun, with the same owner. Fenced by the owner; also rejected if data would be
   * lost: a partition that was begun must be marked as being restored, so that a late repeated call cannot empty one in
   * operation.
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
