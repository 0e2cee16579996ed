import type { ArchiveReader } from '@perennial/service-feature-store';

export type ArchivedEntry = Awaited<ReturnType<ArchiveReader['read']>>[number];

/** When the records of a partition became available, and which cutoffs its log has passed. */
export class LogClock {
  readonly #times: readonly number[];
  #passed = 0;
  #logTimeMs = 0;

  /** `times`: the cutoffs, ascending. */
  constructor(times: readonly number[]) {
    this.#times = times;
  }

  /** The highest log time so far. */
  get logTimeMs(): number {
    return this.#logTimeMs;
  }

  /** How many cutoffs were passed: from this one on, what is read now is known. */
  get passed(): number {
    return this.#passed;
  }

  /**
   * Takes the time of the next record, and returns when it became available: at the highest log time so far, or when
   * it was received if that is later. `onCutoff` is called for each cutoff at which it was not known.
   */
  take(entry: ArchivedEntry, onCutoff?: (cutoffMs: number, index: number) => void): number {
    const availableMs =
      entry.kind === 'tick'
        ? entry.timeMs
        : entry.kind === 'event'
          ? Math.max(this.#logTimeMs, entry.receivedAtMs)
          : this.#logTimeMs;
    this.pass(availableMs, onCutoff);
    if (entry.kind === 'tick') this.#logTimeMs = Math.max(this.#logTimeMs, entry.timeMs);
    return availableMs;
  }

  /** All cutoffs up to a time. */
  pass(untilMs: number, onCutoff?: (cutoffMs: number, index: number) => void): void {
    for (;;) {
      const cutoffMs = this.#times[this.#passed];
      if (cutoffMs === undefined || cutoffMs > untilMs) return;
      const index = this.#passed;
      this.#passed += 1;
      onCutoff?.(cutoffMs, index);
    }
  }
}
