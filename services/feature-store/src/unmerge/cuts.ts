import { isStronger } from '@perennial/identity';
import { must } from '@perennial/kernel';
import type { PathKey } from '../identity/unmerge-document.js';

/** An unmerge as a recomputation needs it: from where a key was joined to another one, up to its attempt that counted. */
export interface Cut {
  readonly number: number;
  readonly attempt: number;
  /** From the key that leaves to the profile that it leaves; each key forwarded to the next. */
  readonly path: readonly PathKey[];
}

/**
 * The keys that are recomputed for an unmerge, weaker ones first: what a key sent is known before the key that got it. Besides
 * the path those that left one of its keys earlier, with all between them.
 */
export function toRecomputeOrder(current: Cut, earlier: readonly Cut[]): readonly string[] {
  const keys = new Map(current.path.map((one) => [one.key, one]));
  for (let known = 0; known < keys.size; ) {
    known = keys.size;
    for (const { path } of earlier) {
      const reaches = path.findLastIndex(({ key }, index) => index > 0 && keys.has(key));
      for (const one of path.slice(0, Math.max(0, reaches))) keys.set(one.key, one);
    }
  }
  const refs = [...keys.values()].map((one) => ({ ...one, subject: Buffer.alloc(0) }));
  return refs.sort((a, b) => (isStronger(a, b) ? 1 : -1)).map(({ key }) => key);
}

export function leaverOf({ path }: Cut): string {
  return must(path[0], 'the key that leaves').key;
}
