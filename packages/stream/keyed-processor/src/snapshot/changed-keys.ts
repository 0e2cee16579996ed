/**
 * Which profiles this owner's commits have touched since a snapshot began, noted before each commit is sent: what a read
 * of the store can see is always noted. Bounded; what is beyond is not known, and a snapshot that needs it cannot be.
 */
export class ChangedKeys {
  readonly #keysMax: number;
  /** Undefined while not all changes since the last snapshot are known: a new owner's, or too many. */
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

  /** Begins anew, with a snapshot; gives what has changed since the one before, undefined when that is not known. */
  restart(): readonly string[] | undefined {
    const changed = this.#changed === undefined ? undefined : [...this.#changed];
    this.#changed = new Set();
    this.#removed = new Set();
    return changed;
  }

  /** The snapshot that began with `restart` was given up: the changes since the one before are no longer known. */
  giveUp(): void {
    this.#changed = undefined;
  }

  /** What was removed since the snapshot began, even if it is there again; undefined when that is not known. */
  get removed(): readonly string[] | undefined {
    return this.#removed === undefined ? undefined : [...this.#removed];
  }
}
