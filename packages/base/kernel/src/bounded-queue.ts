/**
 * A FIFO between one producer and one consumer, bounded in items and bytes. `push` waits while the queue is full, which
 * slows the producer down. `take` waits while it is empty and then returns all queued items, up to a maximum.
 */
export class BoundedQueue<T> {
  readonly #limits: { itemsMax: number; bytesMax: number };
  #items: Array<{ item: T; bytes: number }> = [];
  #bytes = 0;
  #closed = false;
  #wake: Array<() => void> = [];

  constructor(limits: { itemsMax: number; bytesMax: number }) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#items.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get full(): boolean {
    return this.#items.length >= this.#limits.itemsMax || this.#bytes >= this.#limits.bytesMax;
  }

  /**
   * Adds an item and waits while the queue is full; false when the queue is closed or gets closed. An item above the
   * byte limit is accepted once the queue is not full.
   */
  async push(item: T, bytes: number): Promise<boolean> {
    while (this.full && !this.#closed) await this.#changed();
    return this.tryPush(item, bytes);
  }

  /** Adds without waiting, even over the limit (for a caller that has already checked `full`); false when closed. */
  tryPush(item: T, bytes: number): boolean {
    if (this.#closed) return false;
    this.#items.push({ item, bytes });
    this.#bytes += bytes;
    this.#notify();
    return true;
  }

  /** Waits for at least one item, then takes what is there, at most `itemsMax` and about `bytesMax`; empty when closed. */
  async take(max: { itemsMax: number; bytesMax: number }): Promise<T[]> {
    while (this.#items.length === 0 && !this.#closed) await this.#changed();
    let count = 0;
    let bytes = 0;
    for (const { bytes: size } of this.#items) {
      if (count >= max.itemsMax || (count > 0 && bytes + size > max.bytesMax)) break;
      count++;
      bytes += size;
    }
    const taken = this.#items.splice(0, count);
    this.#bytes -= bytes;
    this.#notify();
    return taken.map(({ item }) => item);
  }

  /** Resolves when the queue is no longer full, or when it is closed. */
  async waitForRoom(): Promise<void> {
    while (this.full && !this.#closed) await this.#changed();
  }

  /** Empties and closes the queue: waiting callers return. */
  close(): void {
    this.#closed = true;
    this.#items = [];
    this.#bytes = 0;
    this.#notify();
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #notify(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const wake of waiting) wake();
  }
}
