import { createCredentialDirectory } from '@perennial/access';
import { type Clock, LruCache, systemClock } from '@perennial/kernel';
import { type TokenBucket, takeTokens } from './domain/token-bucket.js';
import type { Source, SourceStore } from './ports.js';

/** Maximum sources whose rate is remembered. */
const BUCKETS_MAX = 10_000;

/** Senders: finds the source of a write key, and applies each source's rate limit. */
export interface SourceDirectory {
  /** The source of a write key, or undefined; throws `dependency_unavailable` if uncached and the store is down. */
  find(writeKey: string): Promise<Source | undefined>;
  /** Whether this write key was valid when it came last. */
  isKnown(writeKey: string): boolean;
  /** Milliseconds to wait; 0 when these events are admitted. For no events it asks only. */
  admit(source: Source, events: number): number;
}

export function createSourceDirectory(store: SourceStore, clock: Clock = systemClock): SourceDirectory {
  const keys = createCredentialDirectory((keyHash) => store.findByKeyHash(keyHash), { what: 'write key', clock });
  const buckets = new LruCache<string, TokenBucket>({ entriesMax: BUCKETS_MAX, sizeMax: BUCKETS_MAX });
  return {
    find: (writeKey) => keys.find(writeKey),
    isKnown: (writeKey) => keys.isKnown(writeKey),
    admit(source, events) {
      if (source.eventsPerSecondMax === null) return 0;
      const request = { count: events, perSecond: source.eventsPerSecondMax, nowMs: clock.steadyMs() };
      const decision = takeTokens(buckets.get(source.id), request);
      buckets.set(source.id, decision.bucket);
      return decision.kind === 'admitted' ? 0 : decision.retryAfterMs;
    },
  };
}
