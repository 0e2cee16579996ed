import { AppError, type Clock, LruCache, systemClock, toSha256, withLimit } from '@perennial/kernel';
import { type TokenBucket, takeTokens } from './domain/token-bucket.js';
import type { Source, SourceStore } from './ports.js';

export const SOURCE_CACHE_LIMITS = {
  entriesMax: 10_000,
  /** How long an answer of the store holds, a negative one too: so long may a revoked key still work. */
  ttlMs: 10_000,
  /** How long a request waits for the store's answer when the key is known, and when it is not. */
  knownWaitMs: 500,
  unknownWaitMs: 5_000,
  /** While the store is away: how long to go on with what was known before asking again. */
  storeAwayHoldMs: 1_000,
  /** Questions to the store at one time; guessing keys must not take all its connections. */
  lookupsMax: 100,
} as const;

/** Who sends: write keys to sources, and what each source may still send. */
export interface SourceDirectory {
  /** The source of a write key, or undefined. Throws AppError `dependency_unavailable` when the store is away and the key is not remembered. */
  find(writeKey: string): Promise<Source | undefined>;
  /** Milliseconds to wait, or 0 when these events may come in. */
  admit(source: Source, events: number): number;
}

interface Entry {
  readonly source: Source | undefined;
  readonly loadedAtMs: number;
}

/** Remembers the store's answers; while the store is away, or does not answer, what was known of a key goes on to hold. */
export function createSourceDirectory(store: SourceStore, clock: Clock = systemClock): SourceDirectory {
  const { entriesMax, ttlMs, knownWaitMs, unknownWaitMs, storeAwayHoldMs, lookupsMax } = SOURCE_CACHE_LIMITS;
  const entries = new LruCache<string, Entry>({ entriesMax, sizeMax: entriesMax });
  const buckets = new LruCache<string, TokenBucket>({ entriesMax, sizeMax: entriesMax });
  const loading = new Map<string, Promise<Source | undefined>>();

  async function load(keyHash: string): Promise<Source | undefined> {
    const source = await store.findByKeyHash(keyHash);
    entries.set(keyHash, { source, loadedAtMs: clock.steadyMs() });
    return source;
  }

  /** One question at a time for a key, however many requests wait for the answer. */
  function loadOnce(keyHash: string): Promise<Source | undefined> {
    const underWay = loading.get(keyHash);
    if (underWay !== undefined) return underWay;
    if (loading.size >= lookupsMax) {
      throw new AppError('resource_exhausted', 'too many unknown write keys at a time', { retriable: true });
    }
    const started = load(keyHash).finally(() => loading.delete(keyHash));
    loading.set(keyHash, started);
    return started;
  }

  return {
    async find(writeKey) {
      const keyHash = toSha256(writeKey);
      const entry = entries.get(keyHash);
      if (entry !== undefined && clock.steadyMs() - entry.loadedAtMs < ttlMs) return entry.source;
      try {
        const ms = entry?.source === undefined ? unknownWaitMs : knownWaitMs;
        return await withLimit(loadOnce(keyHash), { ms, message: 'no answer about the write key in time' });
      } catch (error) {
        // What was unknown may have been created since: only a known source goes on.
        if (entry?.source === undefined) throw error;
        entries.set(keyHash, { source: entry.source, loadedAtMs: clock.steadyMs() - ttlMs + storeAwayHoldMs });
        return entry.source;
      }
    },
    admit(source, events) {
      if (source.eventsPerSecondMax === null) return 0;
      const request = { count: events, perSecond: source.eventsPerSecondMax, nowMs: clock.steadyMs() };
      const decision = takeTokens(buckets.get(source.id), request);
      buckets.set(source.id, decision.bucket);
      return decision.kind === 'admitted' ? 0 : decision.retryAfterMs;
    },
  };
}
