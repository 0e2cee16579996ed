import type { LogProducer, OutgoingRecord } from '@perennial/kafka';
import { assert, type Clock, retry } from '@perennial/kernel';
import type { ProcessorTelemetry } from '../telemetry.js';

interface Waiting {
  readonly sequence: number;
  readonly records: readonly OutgoingRecord[];
  /** Offset of the first record not completely covered by this outbox and those before it. */
  readonly next: number;
}

export interface PublisherOptions {
  readonly partition: number;
  readonly retryInitialMs: number;
  readonly retryMaxMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly telemetry: ProcessorTelemetry;
  /** Called for each failed attempt. */
  readonly onFailed: (error: unknown) => void;
}

/**
 * Publishes the outboxes of one partition in order, all waiting ones in one send. It retries for ever, because a
 * committed outbox must be published. `peekAcknowledged` names those that the next commit may drop.
 */
export class OutboxPublisher {
  readonly #producer: LogProducer;
  readonly #options: PublisherOptions;
  readonly #stop = new AbortController();
  #waiting: Waiting[] = [];
  #acknowledged: number[] = [];
  #unacknowledged = 0;
  #published: number | undefined;
  #running: Promise<void> | undefined;
  #failing = false;
  #wake: Array<() => void> = [];

  constructor(producer: LogProducer, options: PublisherOptions) {
    this.#producer = producer;
    this.#options = options;
  }

  /** True from a failed send to the next one that succeeds. */
  get failing(): boolean {
    return this.#failing;
  }

  /** Outboxes committed but not yet acknowledged. */
  get depth(): number {
    return this.#unacknowledged;
  }

  /** All outputs of records below this offset are acknowledged; undefined before the first outbox is acknowledged. */
  get published(): number | undefined {
    return this.#published;
  }

  add(outbox: Waiting): void {
    assert(!this.#stop.signal.aborted, 'no outbox after the publisher was stopped');
    this.#waiting.push(outbox);
    this.#unacknowledged++;
    this.#running ??= this.#run();
  }

  /** Numbers of the outboxes acknowledged since the last confirmed call. */
  peekAcknowledged(): readonly number[] {
    return [...this.#acknowledged];
  }

  /** Confirms that a commit has dropped these. */
  forget(sequences: readonly number[]): void {
    this.#acknowledged = this.#acknowledged.filter((sequence) => !sequences.includes(sequence));
  }

  /** Resolves when at most `depth` outboxes are unacknowledged, or when the publisher is stopped. */
  async waitForDepth(depth: number): Promise<void> {
    while (this.#unacknowledged > depth && !this.#stop.signal.aborted) {
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  /** Abandons what is not yet acknowledged (the next owner publishes it); resolves when no send is in flight. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#notify();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#stop.signal.aborted) {
      const batch = this.#waiting;
      this.#waiting = [];
      const sent = await this.#send(batch.flatMap(({ records }) => records));
      if (!sent) break;
      this.#acknowledged.push(...batch.map(({ sequence }) => sequence));
      this.#unacknowledged -= batch.length;
      this.#published = batch.at(-1)?.next;
      this.#notify();
    }
    this.#running = undefined;
  }

  async #send(records: readonly OutgoingRecord[]): Promise<boolean> {
    const { clock, random, telemetry, partition, retryInitialMs, retryMaxMs, onFailed } = this.#options;
    const startedMs = clock.steadyMs();
    try {
      await retry(() => this.#producer.send(records), {
        initialMs: retryInitialMs,
        maxMs: retryMaxMs,
        clock,
        random,
        signal: this.#stop.signal,
        onRetry: ({ error }) => {
          this.#failing = true;
          onFailed(error);
          telemetry.publishFailed(partition, error);
        },
      });
    } catch (error) {
      telemetry.publishFailed(partition, error);
      return false;
    }
    this.#failing = false;
    telemetry.published(clock.steadyMs() - startedMs);
    return true;
  }

  #notify(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const wake of waiting) wake();
  }
}
