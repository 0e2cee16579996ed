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
  /** Shared by all partitions of a process: one is written at a time. */
  readonly slot: Mutex;
  readonly readReach: () => Promise<LogReach>;
}

/** What the owner of a partition does about snapshots: restore from one where the store is empty, write them while it works. */
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

  /** For a partition that the store knows nothing of, or that was being restored; throws AppError that says what to do. */
  restore(owner: string, signal: AbortSignal): Promise<RestoredStart> {
    return this.#restore.start(owner, signal);
  }

  /** Brings in what a snapshot read at or below `next`, all records below which are processed; ends a restore that is through. */
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

  /** Writes them from now on, until `stopWriting`; nothing is begun twice. */
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

  /** Reports how old the newest snapshot is. */
  observe(): void {
    this.#schedule?.observe();
  }
}
