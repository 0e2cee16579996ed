import { type Clock, type ErrorCode, isAppError, toBackoffMs, toMessage } from '@perennial/kernel';
import type { Metrics } from '@perennial/telemetry';

/** How long a partition with unread records may stay where it is before it counts as standing still. */
const STANDSTILL_MS = 30_000;
/** Characters of a cause that are shown. */
const CAUSE_LENGTH_MAX = 300;

export interface ConsumerHealthOptions {
  /** The consumer group, as metrics name it; a closed set. */
  readonly consumer: string;
  readonly topic: string;
  readonly backoff: { readonly initialMs: number; readonly maxMs: number };
  readonly clock: Clock;
  /** In [0, 1): the jitter of the waits. */
  readonly random: () => number;
  readonly metrics: Metrics;
  readonly standstillMs?: number;
}

/** A partition's progress, as it is measured. */
export interface Progress {
  /** Offset of the first record that is not processed completely. */
  readonly next: number;
  /** Offset that the next record of the partition will get. */
  readonly end: number;
}

interface Trouble {
  readonly sinceMs: number;
  readonly failures: number;
  readonly cause: string;
  readonly reason: ErrorCode | 'error';
}

interface Stand {
  next: number | undefined;
  end: number;
  /** When `next` last moved or there was nothing to do, by the monotonic clock. */
  movedAtMs: number;
  movedAt: number;
}

/**
 * Whether a consumer advances: one rule for everything that consumes. A partition that has failed is ready again only
 * once a batch of it is committed or it has nothing to do; to own it again, or to join the group again, proves nothing.
 * The waits between its attempts grow until then. A partition that does not move behind unread records is not ready
 * either. What is said of a partition is kept while it is lost and assigned again.
 */
export class ConsumerHealth {
  readonly #options: ConsumerHealthOptions;
  readonly #meters: ReturnType<typeof createMeters>;
  readonly #owned = new Map<number, Stand>();
  /** Owned until the group assigned anew: a crash revokes everything before it is reported. */
  #before = new Set<number>();
  readonly #troubles = new Map<number, Trouble>();
  #consumerTrouble: Trouble | undefined;
  #leftAtMs: number | undefined;

  constructor(options: ConsumerHealthOptions) {
    this.#options = options;
    this.#meters = createMeters(options.metrics);
    this.#leftAtMs = options.clock.steadyMs();
  }

  /** The group assigned these, all that this consumer has now. */
  assigned(partitions: readonly number[]): void {
    for (const partition of this.#before) if (!partitions.includes(partition)) this.#forget(partition);
    this.#before = new Set();
    this.#consumerTrouble = undefined;
    this.#leftAtMs = undefined;
    for (const partition of partitions) this.#owned.set(partition, this.#toStand());
    this.#publish('all', undefined);
  }

  revoked(partitions: readonly number[]): void {
    for (const partition of partitions) {
      this.#before.add(partition);
      this.#owned.delete(partition);
    }
    if (this.#owned.size === 0) this.#leftAtMs = this.#options.clock.steadyMs();
  }

  /** A partition failed; returns how long to wait before the next attempt. */
  failed(partition: number, error: unknown): number {
    const { backoff, random } = this.#options;
    const trouble = this.#toTrouble(this.#troubles.get(partition), error);
    this.#troubles.set(partition, trouble);
    this.#meters.failures.inc({ consumer: this.#options.consumer, reason: trouble.reason });
    this.#publish(partition, trouble);
    return toBackoffMs(trouble.failures - 1, backoff, random);
  }

  /** The consumer as a whole failed (session lost, crash): each of its partitions has to show that it advances. */
  consumerFailed(error: unknown): void {
    this.#consumerTrouble = this.#toTrouble(this.#consumerTrouble, error);
    if (this.#owned.size > 0) this.#consumerTrouble = undefined;
    for (const partition of [...this.#owned.keys(), ...this.#before]) this.failed(partition, error);
    if (this.#consumerTrouble !== undefined) this.#publish('all', this.#consumerTrouble);
  }

  /** A batch was committed. */
  advanced(partition: number): void {
    this.#heal(partition);
    const stand = this.#owned.get(partition);
    if (stand !== undefined) this.#touch(stand);
  }

  /** Called at intervals: a partition with nothing to do is ready, and one that does not move is noticed. */
  observed(partition: number, { next, end }: Progress): void {
    const stand = this.#owned.get(partition);
    if (stand === undefined) return;
    if (next >= end) this.#heal(partition);
    if (next >= end || next !== stand.next) this.#touch(stand);
    stand.next = next;
    stand.end = end;
    if (!this.#troubles.has(partition)) this.#publish(partition, this.#toStandstill(stand));
  }

  /**
   * Called at intervals with the records behind open transactions, by partition of the topic. No problem of this consumer:
   * it has read all that it can get.
   */
  heldBack(held: ReadonlyMap<number, number>): void {
    const { consumer } = this.#options;
    const { heldBack, heldPartitions } = this.#meters;
    for (const partition of heldPartitions) {
      if (held.has(partition) && this.#owned.has(partition)) continue;
      heldBack.remove({ consumer, partition: String(partition) });
      heldPartitions.delete(partition);
    }
    for (const [partition, records] of held) {
      if (!this.#owned.has(partition)) continue;
      heldBack.set({ consumer, partition: String(partition) }, records);
      heldPartitions.add(partition);
    }
  }

  isReady(partition: number): boolean {
    return this.#toProblem(partition) === undefined;
  }

  /** Why it is not ready: which topic and partition, since when, the last cause. */
  problems(): string[] {
    const own = [...this.#owned.keys()].sort((a, b) => a - b).map((partition) => this.#toProblem(partition));
    return [this.#toConsumerProblem(), ...own].filter((problem) => problem !== undefined);
  }

  #toConsumerProblem(): string | undefined {
    const { topic, clock, standstillMs = STANDSTILL_MS } = this.#options;
    if (this.#consumerTrouble !== undefined)
      return `the consumer of ${topic} stands still ${describe(this.#consumerTrouble)}`;
    const outMs = this.#leftAtMs === undefined ? 0 : clock.steadyMs() - this.#leftAtMs;
    return outMs < standstillMs
      ? undefined
      : `the consumer of ${topic} has been in no group for ${Math.round(outMs / 1000)} s`;
  }

  #toProblem(partition: number): string | undefined {
    const { topic } = this.#options;
    const stand = this.#owned.get(partition);
    const trouble = this.#troubles.get(partition) ?? (stand && this.#toStandstill(stand));
    return trouble && `partition ${partition} of ${topic} stands still ${describe(trouble)}`;
  }

  #toStandstill({ next, end, movedAtMs, movedAt }: Stand): Trouble | undefined {
    const { clock, standstillMs = STANDSTILL_MS } = this.#options;
    if (next === undefined || next >= end || clock.steadyMs() - movedAtMs < standstillMs) return undefined;
    const cause = `offset ${next} is not processed, though the log goes on to ${end}`;
    return { sinceMs: movedAt, failures: 0, cause, reason: 'timeout' };
  }

  #toStand(): Stand {
    const { clock } = this.#options;
    return { next: undefined, end: 0, movedAtMs: clock.steadyMs(), movedAt: clock.now() };
  }

  #touch(stand: Stand): void {
    stand.movedAtMs = this.#options.clock.steadyMs();
    stand.movedAt = this.#options.clock.now();
  }

  #toTrouble(before: Trouble | undefined, error: unknown): Trouble {
    return {
      sinceMs: before?.sinceMs ?? this.#options.clock.now(),
      failures: (before?.failures ?? 0) + 1,
      cause: toMessage(error).slice(0, CAUSE_LENGTH_MAX),
      reason: isAppError(error) ? error.code : 'error',
    };
  }

  #heal(partition: number): void {
    if (this.#troubles.delete(partition)) this.#publish(partition, undefined);
  }

  /** It went to another member, whose business it is now. */
  #forget(partition: number): void {
    this.#troubles.delete(partition);
    this.#publish(partition, undefined);
  }

  /** One series a partition; its reason may change. */
  #publish(partition: number | 'all', trouble: Trouble | undefined): void {
    const labels = { consumer: this.#options.consumer, partition: String(partition) };
    const { stalled, reasons } = this.#meters;
    const before = reasons.get(JSON.stringify(labels));
    if (before !== undefined && before !== trouble?.reason) stalled.remove({ ...labels, reason: before });
    if (trouble === undefined) reasons.delete(JSON.stringify(labels));
    else {
      reasons.set(JSON.stringify(labels), trouble.reason);
      stalled.set({ ...labels, reason: trouble.reason }, 1);
    }
  }
}

function describe({ sinceMs, failures, cause }: Trouble): string {
  const times = failures === 0 ? '' : `, ${failures} ${failures === 1 ? 'failure' : 'failures'}`;
  return `since ${new Date(sinceMs).toISOString()}${times}: ${cause}`;
}

function createMeters(metrics: Metrics) {
  return {
    stalled: metrics.gauge(
      'consumer_partition_stalled',
      '1 for a partition that stands still, with the reason; `all` where the consumer itself fails',
      ['consumer', 'partition', 'reason'],
    ),
    failures: metrics.counter('consumer_failures_total', 'Failures of partitions, each tried again', [
      'consumer',
      'reason',
    ]),
    heldBack: metrics.gauge(
      'consumer_held_back_records',
      'Records of an owned partition behind an open transaction: nobody gets them before it ends',
      ['consumer', 'partition'],
    ),
    reasons: new Map<string, string>(),
    heldPartitions: new Set<number>(),
  };
}
