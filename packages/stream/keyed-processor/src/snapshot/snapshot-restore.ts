import { type Clock, isAppError } from '@perennial/kernel';
import { toFence } from '../partition/ownership.js';
import {
  type CommitRequest,
  EMPTY_META,
  type PartitionMeta,
  type PartitionStore,
  type StoredProfile,
} from '../store/store.js';
import { CatchUp } from './catch-up.js';
import { RestoreProgress } from './restore-progress.js';
import { type SnapshotArchive, toSnapshotId } from './snapshot-archive.js';
import { checkNeverBegun, checkReach, chooseSnapshot, type LogReach, type SnapshotLineage } from './snapshot-choice.js';
import { readChunksAhead } from './snapshot-chunks.js';
import { FORMAT_VERSION, type SnapshotManifest } from './snapshot-format.js';
import type { SnapshotLimits } from './snapshot-limits.js';
import type { SnapshotTelemetry } from './snapshot-telemetry.js';

export interface SnapshotRestoreOptions {
  readonly store: PartitionStore;
  readonly archive: SnapshotArchive;
  readonly limits: SnapshotLimits;
  readonly clock: Clock;
  readonly telemetry: SnapshotTelemetry;
  readonly readReach: () => Promise<LogReach>;
}

/** Where a partition starts that the store did not know. */
export interface RestoredStart {
  readonly meta: PartitionMeta;
  readonly catchUp: CatchUp | undefined;
}

/**
 * Restores a partition that the store does not know, or knows only partly (an interrupted restore): wipes it, marks it,
 * and loads it from the newest snapshot, fenced like any commit. A partition that was never begun gets an empty
 * snapshot first.
 */
export class SnapshotRestore {
  readonly #options: SnapshotRestoreOptions;
  /** Ids found damaged; the next attempt uses the previous snapshot. */
  readonly #damaged = new Set<string>();

  constructor(options: SnapshotRestoreOptions) {
    this.#options = options;
  }

  /** Throws AppError that says what to do when the partition cannot be restored. */
  async start(owner: string, signal: AbortSignal): Promise<RestoredStart> {
    for (;;) {
      const lineage = await this.#choose();
      const reach = await this.#options.readReach();
      if (lineage === undefined) return this.#beginAnew(owner, reach);
      const restored = await this.#restore(lineage, { owner, reach, signal });
      if (restored !== 'damaged') return restored;
    }
  }

  /** This process does not use the snapshot again. */
  noteDamaged(snapshot: string, error: unknown): void {
    const { archive, telemetry } = this.#options;
    this.#damaged.add(snapshot);
    telemetry.damaged(archive.subject.partition, { snapshot, error });
  }

  #choose(): Promise<SnapshotLineage | undefined> {
    const { archive } = this.#options;
    return chooseSnapshot(archive, this.#damaged, (id, error) => this.noteDamaged(id, error));
  }

  /** Written before the first commit, so that snapshots always show that the partition was begun. */
  async #beginAnew(owner: string, reach: LogReach): Promise<RestoredStart> {
    const { archive, store, clock } = this.#options;
    checkNeverBegun(archive, reach);
    await store.wipe(owner);
    const createdAtMs = clock.now();
    await archive.writeManifest({
      ...archive.subject,
      version: FORMAT_VERSION,
      id: toSnapshotId({ beginNext: 0, createdAtMs, owner }),
      parent: null,
      begin: EMPTY_META,
      end: 0,
      chunks: [],
      createdAtMs,
    });
    await store.commit({ owner, next: 0, commits: 0 }, toCommit(EMPTY_META, []));
    return { meta: EMPTY_META, catchUp: undefined };
  }

  async #restore(
    lineage: SnapshotLineage,
    { owner, reach, signal }: { owner: string; reach: LogReach; signal: AbortSignal },
  ): Promise<RestoredStart | 'damaged'> {
    const { archive, store, limits, clock, telemetry } = this.#options;
    const newest = newestOf(lineage);
    checkReach(archive, newest, reach);
    await store.wipe(owner);
    let meta: PartitionMeta = { ...newest.begin, commits: 1, restoring: newest.id };
    await store.commit({ owner, next: 0, commits: 0 }, toCommit(meta, []));
    const progress = new RestoreProgress(lineage, { partition: archive.subject.partition, limits, clock, telemetry });
    for (const manifest of lineage) {
      try {
        meta = await this.#load(manifest, { newest, owner, meta, progress, signal });
      } catch (error) {
        if (!isAppError(error, 'data_damaged')) throw error;
        this.noteDamaged(manifest.id, error);
        return 'damaged';
      }
    }
    return { meta, catchUp: new CatchUp(newest, { archive, ...limits }, progress) };
  }

  /**
   * Loads all of each older snapshot, because its state of a profile holds until a later snapshot has a newer one; of
   * the newest only what was read where it began. Returns the resulting meta.
   */
  async #load(
    manifest: SnapshotManifest,
    to: {
      newest: SnapshotManifest;
      owner: string;
      meta: PartitionMeta;
      progress: RestoreProgress;
      signal: AbortSignal;
    },
  ): Promise<PartitionMeta> {
    const { archive, store, limits } = this.#options;
    const chunks =
      manifest === to.newest ? manifest.chunks.filter(({ asOf }) => asOf <= manifest.begin.next) : manifest.chunks;
    let { meta } = to;
    for await (const profiles of readChunksAhead({ archive, ...limits }, { id: manifest.id, chunks })) {
      to.signal.throwIfAborted();
      const before = meta;
      meta = toCounted(before);
      await store.commit(toFence({ owner: to.owner, meta: before }), toCommit(meta, profiles));
      to.progress.loaded(profiles.length);
    }
    return meta;
  }
}

/**
 * Counts a commit of a restore. It processes no record, but the fence must change all the same: otherwise the loss of a
 * chunk in a failover would not be noticed, and an older chunk that a client repeats late would overwrite a newer one.
 */
export function toCounted(meta: PartitionMeta): PartitionMeta {
  return { ...meta, commits: meta.commits + 1 };
}

/** Profiles as a snapshot holds them, without any other field. */
export function toCommit(meta: PartitionMeta, profiles: readonly StoredProfile[]): CommitRequest {
  return {
    meta,
    states: profiles.map(({ key, state }) => [key, state] as const),
    timers: profiles.map(({ key, dueAtMs }) => [key, dueAtMs] as const),
    outbox: undefined,
    acknowledged: [],
  };
}

function newestOf(lineage: SnapshotLineage): SnapshotManifest {
  return lineage.at(-1) ?? lineage[0];
}
