import { isStronger, type ProfileRef } from './profile-ref.js';

/**
 * To whom each key forwards, from the records `join` alone: for readers of the log that keep no states. They must come in
 * the order of the log for each key; the order of keys among each other does not matter.
 */
export class JoinedKeys {
  readonly #targets = new Map<string, string>();

  /** The first join that reaches a key counts; a profile never hands over to a weaker one. */
  take({ self, target }: { readonly self: ProfileRef; readonly target: ProfileRef }): void {
    if (!this.#targets.has(self.key) && isStronger(target, self)) this.#targets.set(self.key, target.key);
  }

  /** The profile that a key is part of; the key itself when it has joined nobody. */
  rootOf(key: string): string {
    let root = key;
    // Each target is stronger than the key before, so this ends.
    for (let next = this.#targets.get(root); next !== undefined; next = this.#targets.get(root)) root = next;
    return root;
  }

  /** Keys that have joined another profile, each with its root. */
  *roots(): Generator<readonly [key: string, root: string]> {
    for (const key of this.#targets.keys()) yield [key, this.rootOf(key)];
  }
}
