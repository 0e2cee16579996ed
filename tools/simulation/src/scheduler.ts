interface ScheduledEvent {
  readonly atMs: number;
  /** Among events of the same time, the one scheduled first runs first. */
  readonly number: number;
  readonly run: () => void;
  cancelled: boolean;
}

/**
 * Resolves when no promise continuation is pending: only then may the next event run. When requested from a promise's
 * continuation, a `nextTick` callback runs after all of them; `setImmediate` would too, but costs more.
 */
const drained = () => new Promise<void>((resolve) => process.nextTick(resolve));

/** Virtual time: a queue of events, run one after another, each until everything it has started is at rest. */
export class Scheduler {
  readonly #heap: ScheduledEvent[] = [];
  #nowMs = 0;
  #count = 0;
  #executed = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  get executed(): number {
    return this.#executed;
  }

  /** Returns a function that cancels it. */
  schedule(delayMs: number, run: () => void): () => void {
    const event = { atMs: this.#nowMs + Math.max(0, delayMs), number: this.#count++, run, cancelled: false };
    this.#push(event);
    return () => {
      event.cancelled = true;
    };
  }

  /** Advances time, event by event, up to the given time. */
  async runUntil(untilMs: number): Promise<void> {
    // From here on this runs in a promise's continuation.
    await undefined;
    for (let event = this.#heap[0]; event !== undefined && event.atMs <= untilMs; event = this.#heap[0]) {
      this.#pop();
      if (event.cancelled) continue;
      this.#nowMs = event.atMs;
      this.#executed++;
      event.run();
      await drained();
    }
    this.#nowMs = untilMs;
  }

  #push(event: ScheduledEvent): void {
    const heap = this.#heap;
    heap.push(event);
    for (let at = heap.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!isBefore(heap[at] as ScheduledEvent, heap[parent] as ScheduledEvent)) return;
      swap(heap, at, parent);
      at = parent;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as ScheduledEvent;
    if (heap.length === 0) return;
    heap[0] = last;
    for (let at = 0; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && isBefore(heap[child] as ScheduledEvent, heap[least] as ScheduledEvent))
          least = child;
      }
      if (least === at) return;
      swap(heap, at, least);
      at = least;
    }
  }
}

function isBefore(a: ScheduledEvent, b: ScheduledEvent): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.number < b.number);
}

function swap(heap: ScheduledEvent[], a: number, b: number): void {
  [heap[a], heap[b]] = [heap[b] as ScheduledEvent, heap[a] as ScheduledEvent];
}
