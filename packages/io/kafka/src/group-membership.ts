import { AppError, type Clock, endsWithin, systemClock } from '@perennial/kernel';
import type { LogConsumerHandlers } from './log.js';

/**
 * How long a member may take to finish its current records; below the group's rebalance timeout, else it is removed.
 */
const REVOKE_WAIT_MS_MAX = 10_000;

/**
 * The partitions that this member owns, and the order of its handlers' calls. `onAssigned` is called only after the
 * previous `onRevoked` has resolved or timed out (after a timeout only the owner's fencing protects the state). An
 * assignment that is revoked meanwhile is never reported.
 */
export class GroupMembership {
  readonly #handlers: LogConsumerHandlers;
  readonly #onError: (error: unknown) => void;
  readonly #clock: Clock;
  #owned: ReadonlySet<number> = new Set();
  #generation = 0;
  #revoking: Promise<void> = Promise.resolve();
  #settled: Promise<void> = Promise.resolve();

  constructor(handlers: LogConsumerHandlers, onError: (error: unknown) => void, clock: Clock = systemClock) {
    this.#handlers = handlers;
    this.#onError = onError;
    this.#clock = clock;
  }

  /** Changes at every assignment and revocation. */
  get generation(): number {
    return this.#generation;
  }

  /** Resolves when the latest assignment has been reported. */
  get settled(): Promise<void> {
    return this.#settled;
  }

  owns(partition: number): boolean {
    return this.#owned.has(partition);
  }

  assign(partitions: readonly number[]): void {
    const revoked = this.revokeAll();
    const generation = this.#generation;
    this.#settled = revoked.then(() => {
      if (generation !== this.#generation) return;
      this.#generation++;
      this.#owned = new Set(partitions);
      try {
        this.#handlers.onAssigned([...partitions].sort((a, b) => a - b));
      } catch (error) {
        this.#onError(error);
      }
    });
  }

  /** From now on no partition is owned; resolves when the handlers have ended. */
  revokeAll(): Promise<void> {
    this.#generation++;
    const partitions = [...this.#owned].sort((a, b) => a - b);
    this.#owned = new Set();
    if (partitions.length > 0) this.#revoking = this.#revoke(partitions);
    return this.#revoking;
  }

  async #revoke(partitions: readonly number[]): Promise<void> {
    try {
      const revoking = Promise.resolve(this.#handlers.onRevoked(partitions));
      const inTime = await endsWithin({ ms: REVOKE_WAIT_MS_MAX, clock: this.#clock }, revoking);
      if (!inTime)
        this.#onError(new AppError('timeout', 'giving up partitions takes too long', { details: { partitions } }));
    } catch (error) {
      this.#onError(error);
    }
  }
}
