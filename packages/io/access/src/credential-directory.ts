import { AppError, type Clock, LruCache, systemClock, toSha256, withLimit } from '@perennial/kernel';

export const CREDENTIAL_LIMITS = {
  /** Cached credentials, unknown ones included. */
  entriesMax: 10_000,
  /**
   * How long an answer of the store is cached, a negative one too: a revoked credential may still work for this long.
   */
  ttlMs: 10_000,
  /** How long a request waits for the store's answer when the credential is known, and when it is not. */
  knownWaitMs: 500,
  unknownWaitMs: 5_000,
  /** While the store is unavailable: how long cached answers are used before the store is queried again. */
  storeAwayHoldMs: 1_000,
  /** Concurrent lookups in the store: guessing of secrets must not use up all its connections. */
  lookupsMax: 100,
} as const;

/** The holder of a secret, for example the source of a write key. */
export interface CredentialDirectory<T> {
  /**
   * The holder of a secret, or undefined. Throws a retriable AppError when the store is unavailable and the secret is
   * not cached.
   */
  find(secret: string): Promise<T | undefined>;
  /** Whether the last answer about this secret was a holder: `find` then costs no lookup, or one that must be allowed. */
  isKnown(secret: string): boolean;
}

interface Entry<T> {
  readonly holder: T | undefined;
  readonly loadedAtMs: number;
}

/**
 * Caches the store's answers by the hash of the secret. While the store is unavailable or does not answer, a cached
 * answer stays valid. `what` names the secrets in errors, such as `write key`.
 */
export function createCredentialDirectory<T>(
  load: (secretHash: string) => Promise<T | undefined>,
  { what, clock = systemClock }: { readonly what: string; readonly clock?: Clock | undefined },
): CredentialDirectory<T> {
  const { entriesMax, ttlMs, knownWaitMs, unknownWaitMs, storeAwayHoldMs, lookupsMax } = CREDENTIAL_LIMITS;
  const entries = new LruCache<string, Entry<T>>({ entriesMax, sizeMax: entriesMax });
  const loading = new Map<string, Promise<T | undefined>>();

  async function loadAndKeep(hash: string): Promise<T | undefined> {
    const holder = await load(hash);
    entries.set(hash, { holder, loadedAtMs: clock.steadyMs() });
    return holder;
  }

  /** One lookup at a time per secret, however many requests wait for the answer. */
  function loadOnce(hash: string): Promise<T | undefined> {
    const underWay = loading.get(hash);
    if (underWay !== undefined) return underWay;
    if (loading.size >= lookupsMax) {
      throw new AppError('resource_exhausted', `too many lookups of a ${what} at a time`, { retriable: true });
    }
    const started = loadAndKeep(hash).finally(() => loading.delete(hash));
    loading.set(hash, started);
    return started;
  }

  return {
    isKnown: (secret) => entries.get(toSha256(secret))?.holder !== undefined,
    async find(secret) {
      const hash = toSha256(secret);
      const entry = entries.get(hash);
      if (entry !== undefined && clock.steadyMs() - entry.loadedAtMs < ttlMs) return entry.holder;
      try {
        const ms = entry?.holder === undefined ? unknownWaitMs : knownWaitMs;
        const message = `no answer about the ${what} in time`;
        return await withLimit({ ms, message, code: 'dependency_unavailable' }, () => loadOnce(hash));
      } catch (error) {
        // A secret that was unknown may have been created since: only a known holder stays valid.
        if (entry?.holder === undefined) throw error;
        entries.set(hash, { holder: entry.holder, loadedAtMs: clock.steadyMs() - ttlMs + storeAwayHoldMs });
        return entry.holder;
      }
    },
  };
}
