import { AppError, type Clock, LruCache, systemClock, toSha256, withLimit } from '@perennial/kernel';

export const CREDENTIAL_LIMITS = {
  /** Credentials remembered, unknown ones too. */
  entriesMax: 10_000,
  /** How long an answer of the store holds, a negative one too: so long may a revoked credential still work. */
  ttlMs: 10_000,
  /** How long a request waits for the store's answer when the credential is known, and when it is not. */
  knownWaitMs: 500,
  unknownWaitMs: 5_000,
  /** While the store is away: how long to go on with what was known before asking again. */
  storeAwayHoldMs: 1_000,
  /** Questions to the store at one time; guessing must not take all its connections. */
  lookupsMax: 100,
} as const;

/** Who a secret belongs to, such as a source to a write key. */
export interface CredentialDirectory<T> {
  /** The holder of a secret, or undefined. Throws a retriable AppError when the store is away and the secret is not remembered. */
  find(secret: string): Promise<T | undefined>;
}

interface Entry<T> {
  readonly holder: T | undefined;
  readonly loadedAtMs: number;
}

/**
 * Remembers the store's answers by the hash of the secret. While the store is away, or does not answer, what was known of
 * a secret goes on to hold. `what` names the secrets in errors, such as `write key`.
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

  /** One question at a time for a secret, however many requests wait for the answer. */
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
    async find(secret) {
      const hash = toSha256(secret);
      const entry = entries.get(hash);
      if (entry !== undefined && clock.steadyMs() - entry.loadedAtMs < ttlMs) return entry.holder;
      try {
        const ms = entry?.holder === undefined ? unknownWaitMs : knownWaitMs;
        const message = `no answer about the ${what} in time`;
        return await withLimit({ ms, message, code: 'dependency_unavailable' }, () => loadOnce(hash));
      } catch (error) {
        // What was unknown may have been created since: only a known holder goes on.
        if (entry?.holder === undefined) throw error;
        entries.set(hash, { holder: entry.holder, loadedAtMs: clock.steadyMs() - ttlMs + storeAwayHoldMs });
        return entry.holder;
      }
    },
  };
}
