import { LruCache } from '@perennial/kernel';

/**
 * Decoded states of one partition. It holds only what this owner committed or what a fenced load read, and is dropped
 * completely as soon as the partition is fenced: a stale state would get into the next commit.
 */
export class StateCache<State> {
  readonly #known: LruCache<string, { state: State | undefined }>;

  constructor(limits: { cacheEntriesMax: number; cacheBytesMax: number }) {
    this.#known = new LruCache({ entriesMax: limits.cacheEntriesMax, sizeMax: limits.cacheBytesMax });
  }

  /** Wrapped, because "has no state" is cached too. */
  get(key: string): { state: State | undefined } | undefined {
    return this.#known.get(key);
  }

  set(key: string, state: State | undefined, bytes: number): void {
    this.#known.set(key, { state }, bytes + key.length + ENTRY_OVERHEAD_BYTES);
  }

  /** Drops a state that was replaced in the store without passing through the cache. */
  forget(key: string): void {
    this.#known.delete(key);
  }

  clear(): void {
    this.#known.clear();
  }
}

/** Approximate memory of a map entry and a small object beyond the encoded state. */
const ENTRY_OVERHEAD_BYTES = 200;
