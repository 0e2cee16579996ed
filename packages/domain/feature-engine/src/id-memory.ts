import type { Hash64 } from './hash.js';
import { addHash, dropOlder, EMPTY_HASHES, filterEntries, type StampedHashes, uniteHashes } from './stamped-hashes.js';

/** Ids that a profile remembers: part of every state, whatever its features are. */
export interface IdMemory {
  /** Hash of each id, with the stretch of log time in which it arrived. */
  readonly ids: StampedHashes;
  /** Number of ids forgotten early because of the limit. */
  readonly dropped: number;
}

/** How long and how many ids are remembered. */
export interface IdMemoryLimits {
  /** Minimum log time for which an id is remembered; up to one `stampMs` longer. */
  readonly keptMs: number;
  /** Length of the stretch of log time that a stamp numbers. */
  readonly stampMs: number;
  /** The oldest are forgotten first, and counted. */
  readonly idsMax: number;
}

export const EMPTY_MEMORY: IdMemory = Object.freeze({ ids: EMPTY_HASHES, dropped: 0 });

/** The number of the stretch that a time lies in. */
export function toStamp(asOfMs: number, { stampMs }: IdMemoryLimits): number {
  return Math.floor(asOfMs / stampMs);
}

/** The memory with one more id, as of a time. */
export function rememberId(memory: IdMemory, id: Hash64, asOfMs: number, limits: IdMemoryLimits): IdMemory {
  const ids = addHash(memory.ids, id, toStamp(asOfMs, limits));
  return forgetIds({ ids, dropped: memory.dropped }, asOfMs, limits);
}

/** The union of both, as of a time. */
export function uniteMemories([a, b]: readonly [IdMemory, IdMemory], asOfMs: number, limits: IdMemoryLimits): IdMemory {
  return forgetIds({ ids: uniteHashes(a.ids, b.ids), dropped: a.dropped + b.dropped }, asOfMs, limits);
}

/** Drops ids that are too old or above the limit; returns the same object when there are none. */
export function forgetIds(memory: IdMemory, asOfMs: number, limits: IdMemoryLimits): IdMemory {
  const remembered = dropOlder(memory.ids, Math.floor((asOfMs - limits.keptMs) / limits.stampMs));
  const ids = limitIds(remembered, limits.idsMax);
  if (ids === memory.ids) return memory;
  return { ids, dropped: memory.dropped + remembered.stamps.length - ids.stamps.length };
}

/** The newest stamps' ids up to the limit; of the stamp that exceeds it, the smallest hashes are kept. */
function limitIds(ids: StampedHashes, idsMax: number): StampedHashes {
  const excess = ids.stamps.length - idsMax;
  if (excess <= 0) return ids;
  if (excess === 1) {
    // One above the limit is the case of every event of a profile at its limit: a scan instead of a sort.
    const last = ids.stamps.lastIndexOf(ids.oldest);
    return filterEntries(ids, (_stamp, index) => index !== last);
  }
  const places = Array.from(ids.stamps.keys());
  places.sort((a, b) => (ids.stamps[a] as number) - (ids.stamps[b] as number) || b - a);
  const dropped = new Set(places.slice(0, excess));
  return filterEntries(ids, (_stamp, index) => !dropped.has(index));
}
