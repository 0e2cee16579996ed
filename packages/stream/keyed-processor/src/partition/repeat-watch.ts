import type { Clock } from '@perennial/kernel';
import type { BatchEntry } from '../batch/decode-batch.js';

export interface RepeatLimits {
  /** A source that only repeats is reported after this long, */
  readonly repeatsReportedAfterMs: number;
  /** and this many records: a processor that starts publishes its last outboxes again. */
  readonly repeatsReportedMin: number;
}

/** A source of which every record is dropped: it starts again from far back, or its highest position is forged. */
export interface RepeatingSource {
  /** `<processor>/<partition>`. */
  readonly source: string;
  /** Since the last one that was applied. */
  readonly records: number;
  readonly sinceMs: number;
}

/** Counts what is dropped as a repeat, by source, since the source's last record that was applied. */
export class RepeatWatch {
  readonly #limits: RepeatLimits;
  readonly #clock: Pick<Clock, 'now' | 'steadyMs'>;
  /** As many entries as the input has sources and partitions. */
  readonly #repeating = new Map<string, { records: number; sinceMs: number; startedMs: number }>();

  constructor(limits: RepeatLimits, clock: Pick<Clock, 'now' | 'steadyMs'>) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Called with what a commit has covered. */
  note(entries: ReadonlyArray<BatchEntry<unknown>>): void {
    for (const { position, result } of entries) {
      if (position === undefined) continue;
      if (result !== 'repeated') this.#repeating.delete(position.source);
      else this.#count(position.source);
    }
  }

  /** The sources to report. */
  find(): RepeatingSource[] {
    const { repeatsReportedAfterMs, repeatsReportedMin } = this.#limits;
    const nowMs = this.#clock.steadyMs();
    return [...this.#repeating]
      .filter(([, { records }]) => records >= repeatsReportedMin)
      .filter(([, { startedMs }]) => nowMs - startedMs >= repeatsReportedAfterMs)
      .map(([source, { records, sinceMs }]) => ({ source, records, sinceMs }));
  }

  #count(source: string): void {
    const { steadyMs, now } = this.#clock;
    const known = this.#repeating.get(source) ?? { records: 0, sinceMs: now(), startedMs: steadyMs() };
    this.#repeating.set(source, { ...known, records: known.records + 1 });
  }
}

/** For people who look at a service's status. */
export function describeRepeating(partition: number, { source, records, sinceMs }: RepeatingSource): string {
  return `partition ${partition} drops every record of ${source} as a repeat since ${new Date(sinceMs).toISOString()}: ${records} so far`;
}
