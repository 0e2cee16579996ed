import type { LogConsumer } from '@perennial/kafka';

/** Commits group offsets, one request at a time, always the newest: less often under load, at once when idle. */
export class Committer {
  #consumer: LogConsumer | undefined;
  #pending = new Map<number, number>();
  #running: Promise<void> | undefined;
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Set late: the consumer is created only after records may already have arrived. */
  attach(consumer: LogConsumer): void {
    this.#consumer = consumer;
    this.#start();
  }

  /** `next` is the first offset of the partition that is not processed. */
  note(partition: number, next: number): void {
    this.#pending.set(partition, next);
    this.#start();
  }

  /** Resolves when all noted offsets are committed or failed; failed records are ingested again without effect. */
  async flush(): Promise<void> {
    this.#start();
    while (this.#running !== undefined) await this.#running;
  }

  #start(): void {
    if (this.#running !== undefined || this.#pending.size === 0 || this.#consumer === undefined) return;
    const offsets = this.#pending;
    this.#pending = new Map();
    this.#running = this.#consumer
      .commit(offsets)
      .catch(this.#onError)
      .then(() => {
        this.#running = undefined;
        this.#start();
      });
  }
}
