import type { Clock } from '@perennial/kernel';

export interface LingerLimits {
  /** Maximum time that a delivery waits for more records. */
  readonly lingerMs: number;
  /** Below this rate of records a second, a record is processed at once: small batches then cost little. */
  readonly recordsPerSecondMin: number;
  /** Deliveries of at least this many records on average are batched enough. */
  readonly recordsPerDeliveryMax: number;
}

export const DEFAULT_LINGER: LingerLimits = { lingerMs: 8, recordsPerSecondMin: 300, recordsPerDeliveryMax: 40 };

/** Time constant of the averages below. */
const WINDOW_MS = 200;

/**
 * The number of batches, not of records, costs the most processor time: each batch costs a fetch, a commit and a
 * publish. So while deliveries are small and frequent, the fetch loop pauses a few milliseconds, and the next fetch
 * returns more records. All partitions of a consumer share one pause, because a fetch covers them all.
 */
export class Linger {
  readonly #limits: LingerLimits;
  readonly #clock: Clock;
  #windowStartMs = 0;
  #records = 0;
  #deliveries = 0;
  #active = false;
  #rest: Promise<void> | undefined;

  constructor(limits: LingerLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Counts one delivery, and waits when larger batches would pay off. */
  async afterDelivery(records: number): Promise<void> {
    this.#observe(records);
    if (!this.#active) return;
    this.#rest ??= this.#clock.wait(this.#limits.lingerMs).then(() => {
      this.#rest = undefined;
    });
    await this.#rest;
  }

  #observe(records: number): void {
    const nowMs = this.#clock.steadyMs();
    const elapsedMs = nowMs - this.#windowStartMs;
    if (elapsedMs >= WINDOW_MS) {
      const perSecond = (this.#records * 1000) / elapsedMs;
      const perDelivery = this.#records / Math.max(1, this.#deliveries);
      this.#active = perSecond >= this.#limits.recordsPerSecondMin && perDelivery < this.#limits.recordsPerDeliveryMax;
      this.#windowStartMs = nowMs;
      this.#records = 0;
      this.#deliveries = 0;
    }
    this.#records += records;
    this.#deliveries++;
  }
}
