/**
 * Keys that this owner's commits have touched since a snapshot began. They are noted before each commit is sent, so any
 * change that a read of the store can see has been noted. The set is bounded: above the limit the changes are unknown,
 * and no increment can be written.
 */
export class ChangedKeys {
  readonly #keysMax: number;
  /** Undefined while not all changes since the last snapshot are known: a new owner, or too many changes. */
  #changed: Set<string> | undefined;
  #removed: Set<string> | undefined = new Set();

  constructor(keysMax: number) {
    this.#keysMax = keysMax;
  }

  note(states: ReadonlyArray<readonly [key: string, state: Buffer | null]>): void {
    for (const [key, state] of states) {
      this.#changed?.add(key);
      if (state === null) this.#removed?.add(key);
    }
    if (this.#changed !== undefined && this.#changed.size > this.#keysMax) this.#changed = undefined;
    if (this.#removed !== undefined && this.#removed.size > this.#keysMax) this.#removed = undefined;
  }

  /** Starts a new set with a snapshot; returns the keys changed since the previous one, undefined when unknown. */
  restart(): readonly string[] | undefined {
    const changed = this.#changed === undefined ? undefined : [...this.#changed];
    this.#changed = new Set();
    this.#removed = new Set();
    return changed;
  }

  /** The snapshot that began with `restart` was abandoned: the changes since the previous one are no longer known. */
  giveUp(): void {
    this.#changed = undefined;
  }

  /** Keys removed since the snapshot began, even if added again later; undefined when unknown. */
  get removed(): readonly string[] | undefined {
    return this.#removed === undefined ? undefined : [...this.#removed];
  }
}
