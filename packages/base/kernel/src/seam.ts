import { assert } from './assert.js';

/**
 * A hook in a real process where a harness can observe it or break a rule on purpose. Only code installs something,
 * never configuration, and only before the seam was first used: otherwise one half of a process would run with the
 * change and the other half without.
 */
export class Seam<T> {
  readonly #name: string;
  #installed: T | undefined;
  #passed = false;

  constructor(name: string) {
    this.#name = name;
  }

  /** Throws when something is already installed, or when the seam was already used without it. */
  install(value: T): void {
    assert(!this.#passed, `nothing has passed the ${this.#name} seam yet`);
    assert(this.#installed === undefined, `nothing is installed at the ${this.#name} seam`);
    this.#installed = value;
  }

  /**
   * What a harness has installed; undefined in every shipped process. Read when parts are composed, not on the hot
   * path.
   */
  pass(): T | undefined {
    this.#passed = true;
    return this.#installed;
  }
}
