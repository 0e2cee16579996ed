import type { Hash64 } from './hash.js';
import { addHash, dropOlder, EMPTY_HASHES, filterEntries, type StampedHashes, uniteHashes } from './stamped-hashes.js';
import { HOUR_MS } from './time.js';

/** Minimum log time for which a message id is remembered (up to an hour longer); a late retry changes nothing. */
const MESSAGE_MEMORY_MS = 24 * HOUR_MS;

/** Maximum message ids remembered per profile; the oldest are forgotten first, and counted. */
export const MESSAGE_IDS_MAX = 4_096;

/** The message ids of a profile. Part of every state, whatever its features are. */
export interface MessageMemory {
  /** Hash of each message id, with the hour of log time in which it arrived. */
  readonly ids: StampedHashes;
  /** Number of ids forgotten early because of the limit. */
  readonly dropped: number;
}

export const EMPTY_MEMORY: MessageMemory = Object.freeze({ ids: EMPTY_HASHES, dropped: 0 });

/** The memory with one more id, as of a time. */
export function rememberId(memory: MessageMemory, id: Hash64, asOfMs: number): MessageMemory {
  const ids = addHash(memory.ids, id, Math.floor(asOfMs / HOUR_MS));
  return forgetIds({ ids, dropped: memory.dropped }, asOfMs);
}

/** The union of both, as of a time. */
export function uniteMemories(a: MessageMemory, b: MessageMemory, asOfMs: number): MessageMemory {
  return forgetIds({ ids: uniteHashes(a.ids, b.ids), dropped: a.dropped + b.dropped }, asOfMs);
}

/** Drops ids that are too old or above the limit; returns the same object when there are none. */
export function forgetIds(memory: MessageMemory, asOfMs: number): MessageMemory {
  const remembered = dropOlder(memory.ids, Math.floor((asOfMs - MESSAGE_MEMORY_MS) / HOUR_MS));
  const ids = limitIds(remembered);
  if (ids === memory.ids) return memory;
  return { ids, dropped: memory.dropped + remembered.stamps.length - ids.stamps.length };
}

/** The newest hours' ids up to the limit; of the hour that exceeds it, the smallest hashes are kept. */
function limitIds(ids: StampedHashes): StampedHashes {
  const excess = ids.stamps.length - MESSAGE_IDS_MAX;
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
