import { type Clock, isAppError, type Mutex } from '@perennial/kernel';
import { type Endable, endOwnership } from '../partition/ownership.js';
import type { PartitionStore } from '../store/store.js';
import { type SnapshotArchive, toCreatedAtMs } from './snapshot-archive.js';
import type { SnapshotManifest } from './snapshot-format.js';
import type { SnapshotLimits } from './snapshot-limits.js';
import { removeOldSnapshots } from './snapshot-retention.js';
import type { SnapshotTelemetry } from './snapshot-telemetry.js';
import { type SnapshotBase, type SnapshotSource, writeSnapshot } from './snapshot-writer.js';

export interface SnapshotScheduleOptions {
  readonly source: SnapshotSource & Endable;
  readonly store: PartitionStore;
  readonly archive: SnapshotArchive;
  readonly limits: SnapshotLimits;
  readonly clock: Clock;
  readonly telemetry: SnapshotTelemetry;
  /** Shared by all partitions of a process: one snapshot is written at a time. */
  readonly slot: Mutex;
}

/** Writes snapshots of one partition in the background while one owner has it. */
export class SnapshotSchedule {
  readonly #options: SnapshotScheduleOptions;
  readonly #stop = new AbortController();
  #writing: Promise<void> | undefined;
  #base: SnapshotBase | undefined;
  #newestAtMs: number | undefined;

  constructor(options: SnapshotScheduleOptions) {
    this.#options = options;
  }

  start(): void {
    void this.#run();
  }

  /** Abandons the snapshot being written; resolves when no write is in flight. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#writing;
    this.#options.telemetry.aged(this.#options.archive.subject.partition, undefined);
  }

  /** Reports the age of the newest snapshot. */
  observe(): void {
    if (this.#newestAtMs === undefined || this.#stop.signal.aborted) return;
    const { clock, telemetry, archive } = this.#options;
    telemetry.aged(archive.subject.partition, clock.now() - this.#newestAtMs);
  }

  async #run(): Promise<void> {
    const { clock, limits, slot } = this.#options;
    const { signal } = this.#stop;
    await this.#attempt(async () => {
      const newest = (await this.#options.archive.list())[0];
      this.#newestAtMs = newest === undefined ? undefined : toCreatedAtMs(newest);
    });
    // Not at once after a take-over: a process that restarts often would write only full ones.
    // But at most an interval from now, whatever the clock that dated the newest one.
    const ageMs = clock.now() - (this.#newestAtMs ?? 0);
    let restMs = Math.min(Math.max(0, limits.intervalMs - ageMs), limits.intervalMs);
    while (!signal.aborted) {
      await clock.wait(restMs, signal);
      await slot.run(async () => {
        if (signal.aborted) return;
        this.#writing = this.#attempt(() => this.#write());
        await this.#writing;
      });
      restMs = limits.intervalMs;
    }
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    const { telemetry, archive } = this.#options;
    try {
      await work();
    } catch (error) {
      this.#base = undefined;
      this.#options.source.changes.giveUp();
      // Abandoned on purpose.
      if (this.#stop.signal.aborted) return;
      // An owner without records would not notice by itself.
      if (isAppError(error, 'fenced')) endOwnership(this.#options.source, error);
      else telemetry.failed(archive.subject.partition, error);
    }
  }

  async #write(): Promise<void> {
    const { source, clock, archive, limits, telemetry } = this.#options;
    if (this.#base?.manifest.end === source.meta.next) {
      this.#newestAtMs = clock.now();
      return;
    }
    const startedMs = clock.steadyMs();
    const manifest = await writeSnapshot({ ...this.#options, signal: this.#stop.signal }, this.#base);
    const isFull = manifest.parent === null;
    this.#base = { manifest, increments: isFull ? 0 : (this.#base?.increments ?? 0) + 1 };
    this.#newestAtMs = manifest.createdAtMs;
    telemetry.written(archive.subject.partition, toFigures(manifest, clock.steadyMs() - startedMs));
    if (!isFull) return;
    const removed = await removeOldSnapshots(archive, limits, clock.now());
    if (removed > 0) telemetry.removed(archive.subject.partition, removed);
  }
}

function toFigures({ id, parent, chunks, begin, end }: SnapshotManifest, elapsedMs: number) {
  return {
    snapshot: id,
    kind: parent === null ? ('full' as const) : ('increment' as const),
    profiles: chunks.reduce((sum, { profiles }) => sum + profiles, 0),
    bytes: chunks.reduce((sum, { bytes }) => sum + bytes, 0),
    chunks: chunks.length,
    records: end - begin.next,
    elapsedMs,
  };
}
