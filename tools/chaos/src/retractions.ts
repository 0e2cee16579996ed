import { every, type Interval, systemClock } from '@perennial/kernel';
import type { Fleet } from './fleet.js';

/** A command starts a process, and reads the partition's log. */
const INTERVAL_MS = 7_000;

/**
 * Takes events back while faults last, by the command of the platform, some twice. One that was not accepted, or a store that cannot
 * be reached, ends the command: another event is taken.
 */
export class Retractions {
  readonly #fleet: Pick<Fleet, 'runCommand'>;
  readonly #drawEvent: () => readonly [userId: string, messageId: string] | undefined;
  /** Asked for, to be asked for again. */
  #last: readonly [userId: string, messageId: string] | undefined;
  #interval: Interval | undefined;

  constructor(options: {
    readonly fleet: Pick<Fleet, 'runCommand'>;
    readonly drawEvent: () => readonly [userId: string, messageId: string] | undefined;
  }) {
    this.#fleet = options.fleet;
    this.#drawEvent = options.drawEvent;
  }

  start(): void {
    // What the command said is no matter: the log says what was taken back.
    this.#interval = every({ intervalMs: INTERVAL_MS, clock: systemClock, onError: () => undefined }, () => this.ask());
  }

  /** Waits for the command in flight. */
  async stop(): Promise<void> {
    await this.#interval?.stop();
  }

  /** Throws as the command does. */
  async ask(): Promise<void> {
    const again = this.#last;
    const event = again ?? this.#drawEvent();
    if (event === undefined) return;
    this.#last = again === undefined ? event : undefined;
    await this.#fleet.runCommand('feature-store', ['events', 'retract', '--by', 'chaos', '--', ...event]);
  }
}
