import { assert } from './assert.js';

/**
 * A place at which a harness may stand in a real process, to watch it or to break a rule on purpose. Code installs something,
 * never configuration, and only before anything has passed: half a process must not be whole and the other half broken.
 */
export class Seam<T> {
  readonly #name: string;
  #installed: T | undefined;
  #passed = false;

  constructor(name: string) {
    this.#name = name;
  }

  /** Throws when something is installed already, or has passed without it. */
  install(value: T): void {
    assert(!this.#passed, `nothing has passed the ${this.#name} seam yet`);
    assert(this.#installed === undefined, `nothing is installed at the ${this.#name} seam`);
    this.#installed = value;
  }

  /** What a harness has installed; undefined in every process that ships. Asked when something is composed, not on the hot path. */
  pass(): T | undefined {
    this.#passed = true;
    return this.#installed;
  }
}
