import type { Hash64 } from './hash.js';

/**
 * An immutable map of 64-bit hashes to stamps (the number of an hour or a day), sorted by hash. Typed arrays, because a
 * copy of a few kilobytes costs less than a persistent tree and is encoded as it is in memory.
 */
export interface StampedHashes {
  /** High and low half of each hash, alternating, ascending. */
  readonly halves: Uint32Array;
  readonly stamps: Int32Array;
  /** Smallest stamp, Infinity when empty: shows without a scan whether anything has expired. */
  readonly oldest: number;
}

export const EMPTY_HASHES: StampedHashes = { halves: new Uint32Array(0), stamps: new Int32Array(0), oldest: Infinity };

/** Compares entry `index` with a hash: negative when the entry comes first. */
export function compareAt(halves: Uint32Array, index: number, hash: Hash64): number {
  return (halves[2 * index] as number) - hash.high || (halves[2 * index + 1] as number) - hash.low;
}

/** Index of the first entry that is not less than `hash`. */
function findPlace(table: StampedHashes, hash: Hash64): number {
  let from = 0;
  let to = table.stamps.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (compareAt(table.halves, middle, hash) < 0) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** True when entry `index` is of that hash. */
export function isHashAt({ halves }: StampedHashes, index: number, hash: Hash64): boolean {
  return compareAt(halves, index, hash) === 0;
}

export function hasHash(table: StampedHashes, hash: Hash64): boolean {
  const place = findPlace(table, hash);
  return place < table.stamps.length && compareAt(table.halves, place, hash) === 0;
}

/** The stamp of a hash; undefined when it is not there. */
export function findStamp(table: StampedHashes, hash: Hash64): number | undefined {
  const place = findPlace(table, hash);
  return place < table.stamps.length && compareAt(table.halves, place, hash) === 0 ? table.stamps[place] : undefined;
}

/** The map with one more hash; if it is already there, the greater stamp is kept. */
export function addHash(table: StampedHashes, hash: Hash64, stamp: number): StampedHashes {
  const place = findPlace(table, hash);
  const { halves, stamps } = table;
  if (place < stamps.length && compareAt(halves, place, hash) === 0) {
    if ((stamps[place] as number) >= stamp) return table;
    const raised = stamps.slice();
    raised[place] = stamp;
    return { halves, stamps: raised, oldest: toOldest(raised) };
  }
  const halvesAfter = new Uint32Array(halves.length + 2);
  halvesAfter.set(halves.subarray(0, 2 * place));
  halvesAfter[2 * place] = hash.high;
  halvesAfter[2 * place + 1] = hash.low;
  halvesAfter.set(halves.subarray(2 * place), 2 * place + 2);
  const stampsAfter = new Int32Array(stamps.length + 1);
  stampsAfter.set(stamps.subarray(0, place));
  stampsAfter[place] = stamp;
  stampsAfter.set(stamps.subarray(place), place + 1);
  return { halves: halvesAfter, stamps: stampsAfter, oldest: Math.min(table.oldest, stamp) };
}

/** A map of all hashes with one stamp. */
export function toStampedHashes(hashes: readonly Hash64[], stamp: number): StampedHashes {
  if (hashes.length === 1) return addHash(EMPTY_HASHES, hashes[0] as Hash64, stamp);
  const sorted = [...hashes].sort((a, b) => a.high - b.high || a.low - b.low);
  const halves = new Uint32Array(2 * sorted.length);
  let count = 0;
  for (const hash of sorted) {
    if (count > 0 && compareAt(halves, count - 1, hash) === 0) continue;
    halves[2 * count] = hash.high;
    halves[2 * count + 1] = hash.low;
    count += 1;
  }
  const stamps = new Int32Array(count).fill(stamp);
  return { halves: halves.slice(0, 2 * count), stamps, oldest: toOldest(stamps) };
}

/** The union of both maps; for a hash in both the greater stamp is kept. */
export function uniteHashes(a: StampedHashes, b: StampedHashes): StampedHashes {
  if (a.stamps.length === 0) return b;
  if (b.stamps.length === 0) return a;
  const halves = new Uint32Array(a.halves.length + b.halves.length);
  const stamps = new Int32Array(a.stamps.length + b.stamps.length);
  let i = 0;
  let j = 0;
  let count = 0;
  while (i < a.stamps.length || j < b.stamps.length) {
    const order = compareEntries(a, i, b, j);
    const source = order <= 0 ? a : b;
    const at = order <= 0 ? i : j;
    halves[2 * count] = source.halves[2 * at] as number;
    halves[2 * count + 1] = source.halves[2 * at + 1] as number;
    stamps[count] =
      order === 0 ? Math.max(a.stamps[i] as number, b.stamps[j] as number) : (source.stamps[at] as number);
    if (order <= 0) i += 1;
    if (order >= 0) j += 1;
    count += 1;
  }
  const used = stamps.slice(0, count);
  return { halves: halves.slice(0, 2 * count), stamps: used, oldest: toOldest(used) };
}

/** The map without entries older than `stampMin`; the same object when there are none. */
export function dropOlder(table: StampedHashes, stampMin: number): StampedHashes {
  return table.oldest >= stampMin ? table : filterEntries(table, (stamp) => stamp >= stampMin);
}

/** The entries for which `keep` is true. */
export function filterEntries(table: StampedHashes, keep: (stamp: number, index: number) => boolean): StampedHashes {
  const halves = new Uint32Array(table.halves.length);
  const stamps = new Int32Array(table.stamps.length);
  let count = 0;
  for (let i = 0; i < table.stamps.length; i += 1) {
    const stamp = table.stamps[i] as number;
    if (!keep(stamp, i)) continue;
    halves[2 * count] = table.halves[2 * i] as number;
    halves[2 * count + 1] = table.halves[2 * i + 1] as number;
    stamps[count] = stamp;
    count += 1;
  }
  if (count === 0) return EMPTY_HASHES;
  const used = stamps.slice(0, count);
  return { halves: halves.slice(0, 2 * count), stamps: used, oldest: toOldest(used) };
}

/** The first `count` entries (the smallest hashes). */
export function takeSmallest(table: StampedHashes, count: number): StampedHashes {
  const stamps = table.stamps.slice(0, count);
  return { halves: table.halves.slice(0, 2 * count), stamps, oldest: toOldest(stamps) };
}

export function toOldest(stamps: Int32Array): number {
  let oldest = Infinity;
  for (const stamp of stamps) if (stamp < oldest) oldest = stamp;
  return oldest;
}

function compareEntries(a: StampedHashes, i: number, b: StampedHashes, j: number): number {
  if (i >= a.stamps.length) return 1;
  if (j >= b.stamps.length) return -1;
  const high = (a.halves[2 * i] as number) - (b.halves[2 * j] as number);
  return high || (a.halves[2 * i + 1] as number) - (b.halves[2 * j + 1] as number);
}
