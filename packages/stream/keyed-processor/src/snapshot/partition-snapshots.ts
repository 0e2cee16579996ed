import { type Clock, isAppError, type Mutex } from '@perennial/kernel';
import { type Endable, type Ownership, toFence } from '../partition/ownership.js';
import type { PartitionStore } from '../store/store.js';
import type { SnapshotArchive } from './snapshot-archive.js';
import type { LogReach } from './snapshot-choice.js';
import type { SnapshotLimits } from './snapshot-limits.js';
import { type RestoredStart, SnapshotRestore, toCommit, toCounted } from './snapshot-restore.js';
import { SnapshotSchedule } from './snapshot-schedule.js';
import type { SnapshotTelemetry } from './snapshot-telemetry.js';
import type { SnapshotSource } from './snapshot-writer.js';

export interface PartitionSnapshotsOptions {
  readonly store: PartitionStore;
  readonly archive: SnapshotArchive;
  readonly limits: SnapshotLimits;
  readonly clock: Clock;
  readonly telemetry: SnapshotTelemetry;
  /** Shared by all partitions of a process: one snapshot is written at a time. */
  readonly slot: Mutex;
  readonly readReach: () => Promise<LogReach>;
}

/** The owner's part in snapshots: restores from one when the store is empty, writes them during operation. */
export class PartitionSnapshots {
  readonly #options: PartitionSnapshotsOptions;
  readonly #restore: SnapshotRestore;
  #schedule: SnapshotSchedule | undefined;

  constructor(options: PartitionSnapshotsOptions) {
    this.#options = options;
    this.#restore = new SnapshotRestore(options);
  }

  get changedKeysMax(): number {
    return this.#options.limits.changedKeysMax;
  }

  /**
   * Restores a partition that the store does not know, or whose restore was interrupted; throws AppError that says what
   * to do.
   */
  restore(owner: string, signal: AbortSignal): Promise<RestoredStart> {
    return this.#restore.start(owner, signal);
  }

  /**
   * Puts in place the profiles that a snapshot read at or below `next`, below which all is processed; ends a finished
   * restore.
   */
  async advanceCatchUp<State>(own: Ownership<State>, next: number): Promise<void> {
    const { catchUp } = own;
    if (catchUp === undefined) return;
    const { store } = this.#options;
    try {
      for (let due = await catchUp.takeDue(next); due !== undefined; due = await catchUp.takeDue(next)) {
        const meta = toCounted(own.meta);
        await store.commit(toFence(own), toCommit(meta, due));
        own.meta = meta;
        for (const { key } of due) own.cache.forget(key);
        own.timersFromMs = Number.NEGATIVE_INFINITY;
        catchUp.progress.loaded(due.length);
      }
    } catch (error) {
      if (isAppError(error, 'data_damaged')) this.#restore.noteDamaged(catchUp.snapshot.id, error);
      throw error;
    }
    catchUp.progress.caughtUp(next);
    if (!catchUp.isDone(next)) return;
    const meta = toCounted({ ...own.meta, restoring: undefined });
    await store.commit(toFence(own), toCommit(meta, []));
    own.meta = meta;
    own.catchUp = undefined;
    catchUp.progress.finish();
  }

  /** Writes snapshots until `stopWriting`; a second call does nothing. */
  startWriting(source: SnapshotSource & Endable): void {
    if (this.#schedule !== undefined) return;
    this.#schedule = new SnapshotSchedule({ ...this.#options, source });
    this.#schedule.start();
  }

  async stopWriting(): Promise<void> {
    const schedule = this.#schedule;
    this.#schedule = undefined;
    await schedule?.stop();
  }

  /** Reports the age of the newest snapshot. */
  observe(): void {
    this.#schedule?.observe();
  }
}
