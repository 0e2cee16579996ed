interface Entry<K, V> {
  readonly key: K;
  value: V;
  size: number;
  /** Used before this one; undefined for the oldest. */
  older: Entry<K, V> | undefined;
  newer: Entry<K, V> | undefined;
}

/**
 * A least-recently-used cache bounded in entries and in the sum of their sizes (bytes, as the caller counts them). Its order is a list
 * of its own: to move an entry to the end of a map takes two more hashes of the key and lets the map grow until it is compacted.
 */
export class LruCache<K, V> {
  readonly #entries = new Map<K, Entry<K, V>>();
  readonly #limits: { entriesMax: number; sizeMax: number };
  #oldest: Entry<K, V> | undefined;
  #newest: Entry<K, V> | undefined;
  #size = 0;

  constructor(limits: { entriesMax: number; sizeMax: number }) {
    this.#limits = limits;
  }

  get(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#touch(entry);
    return entry.value;
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  set(key: K, value: V, size = 1): void {
    const known = this.#entries.get(key);
    if (known === undefined)
      this.#entries.set(key, this.#append({ key, value, size, older: undefined, newer: undefined }));
    else this.#replace(known, value, size);
    this.#size += size;
    while (this.#entries.size > this.#limits.entriesMax || this.#size > this.#limits.sizeMax) {
      if (this.#oldest === undefined) break;
      this.#remove(this.#oldest);
    }
  }

  delete(key: K): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.#remove(entry);
  }

  clear(): void {
    this.#entries.clear();
    this.#oldest = undefined;
    this.#newest = undefined;
    this.#size = 0;
  }

  get entries(): number {
    return this.#entries.size;
  }

  get size(): number {
    return this.#size;
  }

  #replace(entry: Entry<K, V>, value: V, size: number): void {
    this.#size -= entry.size;
    entry.value = value;
    entry.size = size;
    this.#touch(entry);
  }

  #remove(entry: Entry<K, V>): void {
    this.#entries.delete(entry.key);
    this.#size -= entry.size;
    this.#unlink(entry);
  }

  #touch(entry: Entry<K, V>): void {
    if (entry === this.#newest) return;
    this.#unlink(entry);
    this.#append(entry);
  }

  #append(entry: Entry<K, V>): Entry<K, V> {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
    return entry;
  }

  #unlink({ older, newer }: Entry<K, V>): void {
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
  }
}
