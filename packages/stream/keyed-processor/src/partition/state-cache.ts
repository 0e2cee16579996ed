import { LruCache } from '@perennial/kernel';

/**
 * Decoded states of one partition. It holds only what a commit of this owner wrote or a fenced load read, and is
 * dropped whole as soon as the partition is fenced: a stale state that survived would be folded into the next commit.
 */
export class StateCache<State> {
  readonly #known: LruCache<string, { state: State | undefined }>;

  constructor(limits: { cacheEntriesMax: number; cacheBytesMax: number }) {
    this.#known = new LruCache({ entriesMax: limits.cacheEntriesMax, sizeMax: limits.cacheBytesMax });
  }

  /** Wrapped, since "has no state" is knowledge too. */
  get(key: string): { state: State | undefined } | undefined {
    return this.#known.get(key);
  }

  set(key: string, state: State | undefined, bytes: number): void {
    this.#known.set(key, { state }, bytes + key.length + ENTRY_OVERHEAD_BYTES);
  }

  /** What the store holds of it was replaced behind the cache's back. */
  forget(key: string): void {
    this.#known.delete(key);
  }

  clear(): void {
    this.#known.clear();
  }
}

/** About what a map entry and a small object cost beyond the encoded state. */
const ENTRY_OVERHEAD_BYTES = 200;
