import { createCredentialDirectory } from '@perennial/access';
import { type Clock, LruCache, systemClock } from '@perennial/kernel';
import { type TokenBucket, takeTokens } from './domain/token-bucket.js';
import type { Source, SourceStore } from './ports.js';

/** Sources whose rate is remembered. */
const BUCKETS_MAX = 10_000;

/** Who sends: write keys to sources, and what each source may still send. */
export interface SourceDirectory {
  /** The source of a write key, or undefined. Throws AppError `dependency_unavailable` when the store is away and the key is not remembered. */
  find(writeKey: string): Promise<Source | undefined>;
  /** Milliseconds to wait, or 0 when these events may come in. */
  admit(source: Source, events: number): number;
}

export function createSourceDirectory(store: SourceStore, clock: Clock = systemClock): SourceDirectory {
  const keys = createCredentialDirectory((keyHash) => store.findByKeyHash(keyHash), { what: 'write key', clock });
  const buckets = new LruCache<string, TokenBucket>({ entriesMax: BUCKETS_MAX, sizeMax: BUCKETS_MAX });
  return {
    find: (writeKey) => keys.find(writeKey),
    admit(source, events) {
      if (source.eventsPerSecondMax === null) return 0;
      const request = { count: events, perSecond: source.eventsPerSecondMax, nowMs: clock.steadyMs() };
      const decision = takeTokens(buckets.get(source.id), request);
      buckets.set(source.id, decision.bucket);
      return decision.kind === 'admitted' ? 0 : decision.retryAfterMs;
    },
  };
}
