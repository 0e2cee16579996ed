import type { Clock } from '@perennial/kernel';
import type { SnapshotManifest } from './snapshot-format.js';
import type { SnapshotLimits } from './snapshot-limits.js';
import type { RestoreFigures, SnapshotTelemetry } from './snapshot-telemetry.js';

/** Counts the progress of a restore, and reports it at intervals. */
export class RestoreProgress {
  readonly #to: RestoreProgressTarget;
  readonly #newest: SnapshotManifest;
  readonly #profilesTotal: number;
  readonly #startedMs: number;
  #reportedMs: number;
  #profiles = 0;
  #records = 0;

  constructor(lineage: readonly [SnapshotManifest, ...SnapshotManifest[]], to: RestoreProgressTarget) {
    this.#to = to;
    this.#newest = lineage.at(-1) ?? lineage[0];
    this.#profilesTotal = lineage.flatMap(({ chunks }) => chunks).reduce((sum, { profiles }) => sum + profiles, 0);
    this.#startedMs = to.clock.steadyMs();
    this.#reportedMs = this.#startedMs;
    to.telemetry.restoring(to.partition, this.#figures());
  }

  loaded(profiles: number): void {
    this.#profiles += profiles;
    this.#report();
  }

  /** Called when all records below `next` are processed. */
  caughtUp(next: number): void {
    const { begin, end } = this.#newest;
    this.#records = Math.min(next, end) - begin.next;
    this.#report();
  }

  finish(): void {
    const { telemetry, partition } = this.#to;
    telemetry.restored(partition, this.#figures());
  }

  #report(): void {
    const { clock, limits, telemetry, partition } = this.#to;
    if (clock.steadyMs() - this.#reportedMs < limits.progressIntervalMs) return;
    this.#reportedMs = clock.steadyMs();
    telemetry.restoring(partition, this.#figures());
  }

  #figures(): RestoreFigures {
    const { id, begin, end } = this.#newest;
    return {
      snapshot: id,
      profilesLoaded: this.#profiles,
      profilesTotal: this.#profilesTotal,
      recordsCaughtUp: this.#records,
      recordsTotal: end - begin.next,
      elapsedMs: this.#to.clock.steadyMs() - this.#startedMs,
    };
  }
}

export interface RestoreProgressTarget {
  readonly partition: number;
  readonly limits: SnapshotLimits;
  readonly clock: Clock;
  readonly telemetry: SnapshotTelemetry;
}
