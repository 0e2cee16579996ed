import type { LogRecord, OutgoingRecord, PartitionOffsets } from '@perennial/kafka';
import { AppError, must } from '@perennial/kernel';
import type { Scheduler } from './scheduler.js';

interface Place {
  readonly topic: string;
  readonly partition: number;
}

/** The log on the server side: appended to, read, and in the worst case truncated. */
export class Broker {
  readonly partitions: number;
  readonly #scheduler: Scheduler;
  readonly #logs = new Map<string, LogRecord[]>();
  /** First offset that is still readable, where that is not 0. */
  readonly #lows = new Map<string, number>();
  readonly #topics = new Set<string>();
  readonly #waiting = new Map<string, Array<() => void>>();
  #changedAtMs = 0;

  constructor(scheduler: Scheduler, options: { partitions: number; topics: readonly string[] }) {
    this.#scheduler = scheduler;
    this.partitions = options.partitions;
    for (const topic of options.topics) this.#topics.add(topic);
  }

  /** Time of the last append, virtual ms. */
  get changedAtMs(): number {
    return this.#changedAtMs;
  }

  append(record: OutgoingRecord): void {
    const log = this.#log(record);
    this.#changedAtMs = this.#scheduler.nowMs;
    log.push({ ...record, headers: { ...record.headers }, offset: log.length, timestampMs: this.#scheduler.nowMs });
    this.#wake(record);
  }

  /** Records from `offset` on; undefined when it is beyond either end. */
  read(at: Place & { offset: number; itemsMax: number }): readonly LogRecord[] | undefined {
    const log = this.#log(at);
    return at.offset > log.length || at.offset < this.low(at)
      ? undefined
      : log.slice(at.offset, at.offset + at.itemsMax);
  }

  /** All records ever written and not lost, including those that are no longer readable. */
  records(at: Place): readonly LogRecord[] {
    return this.#log(at);
  }

  /** First offset that readers can still read. */
  low(at: Place): number {
    return this.#lows.get(toKey(at)) ?? 0;
  }

  /** Offsets of every partition. Throws `not_found`. */
  offsets(topic: string): ReadonlyMap<number, PartitionOffsets> {
    if (!this.#topics.has(topic)) throw new AppError('not_found', `there is no topic ${topic}`);
    const entries = Array.from({ length: this.partitions }, (_, partition) => {
      return [
        partition,
        { low: this.low({ topic, partition }), high: this.#log({ topic, partition }).length },
      ] as const;
    });
    return new Map(entries);
  }

  /** A leader without the last records takes over: acknowledged or not, they are lost. */
  cutTail(at: Place & { count: number }): void {
    const log = this.#log(at);
    log.splice(Math.max(0, log.length - at.count));
    this.#wake(at);
  }

  /** Retention: removes the records below. */
  trim(at: Place & { low: number }): void {
    this.#lows.set(toKey(at), Math.max(this.low(at), at.low));
  }

  /** Calls back once, at the next change of a partition. */
  onChange(at: Place, wake: () => void): void {
    const key = toKey(at);
    this.#waiting.set(key, [...(this.#waiting.get(key) ?? []), wake]);
  }

  #log(at: Place): LogRecord[] {
    must(this.#topics.has(at.topic) || undefined, `topic ${at.topic}`);
    const key = toKey(at);
    const log = this.#logs.get(key) ?? [];
    this.#logs.set(key, log);
    return log;
  }

  #wake(at: Place): void {
    const waiting = this.#waiting.get(toKey(at)) ?? [];
    this.#waiting.delete(toKey(at));
    for (const wake of waiting) wake();
  }
}

function toKey({ topic, partition }: Place): string {
  return `${topic}/${partition}`;
}
