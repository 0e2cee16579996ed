import { JoinedKeys } from '@perennial/identity';
import { AppError } from '@perennial/kernel';
import { EXPORT_LIMITS } from './limits.js';
import { type ArchivedEntry, LogClock } from './log-clock.js';
import { type ArchivePartitions, readPartition } from './read-archive.js';

/** From a cutoff on, the profile that a key forwards to. */
interface Step {
  readonly from: number;
  readonly target: string | undefined;
}

/**
 * Who was part of whom at each cutoff, as the log had it by then: a join that became available later joins nobody
 * before. Cutoffs are given by their index. Memory holds the keys that ever joined, and no others.
 */
export class JoinHistory {
  readonly #current = new JoinedKeys();
  readonly #steps = new Map<string, Step[]>();
  /** By target: the keys that ever forwarded to it. */
  readonly #joiners = new Map<string, Set<string>>();
  /** Towards one key of each group that was ever connected. */
  readonly #groups = new Map<string, string>();
  readonly #keysMax: number;

  constructor(keysMax: number = EXPORT_LIMITS.joinedKeysMax) {
    this.#keysMax = keysMax;
  }

  /** The next record of a key, known from the cutoff `from` on. Throws `limit_exceeded` for too many keys. */
  take(entry: Extract<ArchivedEntry, { kind: 'join' | 'parted' }>, from: number): void {
    const { key } = entry;
    const before = this.#current.targetOf(key);
    if (entry.kind === 'join') this.#current.join(entry.join);
    else this.#current.part({ self: entry, other: entry.other });
    const target = this.#current.targetOf(key);
    if (target === before) return;
    const steps = this.#steps.get(key) ?? [];
    this.#steps.set(key, [...steps.filter((step) => step.from < from), { from, target }]);
    if (target !== undefined) this.#connect(key, target);
    if (this.#groups.size > this.#keysMax)
      throw new AppError(
        'limit_exceeded',
        `more than ${this.#keysMax} profiles of the archive took part in joins: export an archive that begins later`,
      );
  }

  /** True for a key that is ever part of another one, or another one of it. */
  isInvolved(key: string): boolean {
    return this.#groups.has(key);
  }

  /** True where the key is one of several of a profile. */
  isJoined(key: string, at: number): boolean {
    return this.isInvolved(key) && (this.#targetAt(key, at) !== undefined || this.#joinersAt(key, at).length > 0);
  }

  /** The key that a profile stays under. */
  rootAt(key: string, at: number): string {
    let root = key;
    // Each target is stronger than the key before, so this ends.
    for (let next = this.#targetAt(root, at); next !== undefined; next = this.#targetAt(root, at)) root = next;
    return root;
  }

  /** All keys of the profile of a key: the root first, then the others, ascending. */
  membersAt(key: string, at: number): readonly string[] {
    const root = this.rootAt(key, at);
    if (!this.isInvolved(root)) return [root];
    const members: string[] = [];
    const next = [root];
    for (let one = next.pop(); one !== undefined; one = next.pop()) {
      const joiners = this.#joinersAt(one, at);
      members.push(...joiners);
      next.push(...joiners);
    }
    return [root, ...members.sort()];
  }

  /** The same for all keys that are ever connected with this one. */
  groupOf(key: string): string {
    let group = key;
    for (let next = this.#groups.get(group); next !== undefined && next !== group; next = this.#groups.get(group))
      group = next;
    return group;
  }

  #targetAt(key: string, at: number): string | undefined {
    return this.#steps.get(key)?.findLast(({ from }) => from <= at)?.target;
  }

  #joinersAt(key: string, at: number): readonly string[] {
    return [...(this.#joiners.get(key) ?? [])].filter((joiner) => this.#targetAt(joiner, at) === key);
  }

  #connect(key: string, target: string): void {
    const joiners = this.#joiners.get(target);
    if (joiners === undefined) this.#joiners.set(target, new Set([key]));
    else joiners.add(key);
    const [a, b] = [this.groupOf(key), this.groupOf(target)];
    // A short way to it, however many join one after another.
    for (const one of [a, b, key, target]) this.#groups.set(one, b);
  }
}

/** Reads who joined whom, before the rows are made: a profile may be joined by one of a later partition. */
export async function readJoins(
  { source, partitions, times }: ArchivePartitions & { readonly times: readonly number[] },
  signal?: AbortSignal,
): Promise<JoinHistory> {
  const history = new JoinHistory();
  for (const partition of partitions) {
    const clock = new LogClock(times);
    await readPartition(source, partition, {
      signal,
      onEntry(entry) {
        clock.take(entry);
        if (entry.kind === 'join' || entry.kind === 'parted') history.take(entry, clock.passed);
      },
    });
  }
  return history;
}
