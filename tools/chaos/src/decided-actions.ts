import { type ActionDecided, toTopic } from '@perennial/contracts';
import type { Log } from '@perennial/kafka';
import { every, type Interval, systemClock } from '@perennial/kernel';
import { readWhole } from './read-whole.js';
import type { DecidedAction } from './reports.js';

/** Each reading is one of the whole topic, which has a few thousand records at most. */
const INTERVAL_MS = 4_000;

/** Reads which actions are decided while faults last, each once, so that the load can report what came of them. */
export class DecidedActions {
  readonly #log: Log;
  readonly #topic: string;
  readonly #onDecided: (action: DecidedAction) => void;
  readonly #known = new Set<string>();
  #interval: Interval | undefined;

  constructor(options: {
    readonly log: Log;
    readonly namespace: string;
    readonly onDecided: (action: DecidedAction) => void;
  }) {
    this.#log = options.log;
    this.#topic = toTopic(options.namespace, 'actionDecided');
    this.#onDecided = options.onDecided;
  }

  start(): void {
    // A broker that cannot be reached: the next reading has them.
    this.#interval = every({ intervalMs: INTERVAL_MS, clock: systemClock, onError: () => undefined }, () =>
      this.read(),
    );
  }

  /** Waits for the reading in flight. */
  async stop(): Promise<void> {
    await this.#interval?.stop();
  }

  async read(): Promise<void> {
    await readWhole(this.#log, this.#topic, ({ value }) => {
      const { actionId, userId, channel } = JSON.parse(String(value)) as ActionDecided;
      if (this.#known.has(actionId)) return;
      this.#known.add(actionId);
      if (userId !== null) this.#onDecided({ actionId, userId, channel });
    });
  }
}
