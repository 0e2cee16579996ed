import { isStronger, type ProfileRef } from './profile-ref.js';

/**
 * To whom each key forwards, from the records under its own key alone: for readers of the log that keep no states. They must
 * come in the order of the log for each key; the order of keys among each other does not matter.
 */
export class JoinedKeys {
  readonly #targets = new Map<string, string>();
  /** Keys that were parted, each with those whom it does not join again but by a change. */
  readonly #apart = new Map<string, Set<string>>();

  /** A record `join`. The first one that reaches a key counts; a profile never hands over to a weaker one. */
  join({ self, target, change }: Join): void {
    if (this.#targets.has(self.key) || !isStronger(target, self)) return;
    if (change === undefined && this.#apart.get(self.key)?.has(target.key)) return;
    this.#apart.get(self.key)?.delete(target.key);
    this.#targets.set(self.key, target.key);
  }

  /** The step `left` of an unmerge, on the key of the profile that leaves `other`. */
  part({ self, other }: { readonly self: Pick<ProfileRef, 'key'>; readonly other: string }): void {
    const target = this.#targets.get(self.key);
    this.#targets.delete(self.key);
    const apart = this.#apart.get(self.key) ?? new Set();
    this.#apart.set(self.key, apart.add(other));
    if (target !== undefined) apart.add(target);
  }

  /** The profile that a key forwards to; undefined when it has joined nobody. */
  targetOf(key: string): string | undefined {
    return this.#targets.get(key);
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

interface Join {
  readonly self: ProfileRef;
  readonly target: ProfileRef;
  /** Number of the change that asks for it by hand. */
  readonly change?: number | undefined;
}
