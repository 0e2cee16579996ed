import { LruCache } from '@perennial/kernel';
import type { Pseudonymizer } from './pseudonymizer.js';

/** A pseudonymizer with a cache of at most `entriesMax` ids for each of its two directions. */
export function createCachedPseudonymizer(inner: Pseudonymizer, limits: { entriesMax: number }): Pseudonymizer {
  const profileKeys = new LruCache<string, string>({ entriesMax: limits.entriesMax, sizeMax: Number.MAX_SAFE_INTEGER });
  const seals = new LruCache<string, Buffer>({ entriesMax: limits.entriesMax, sizeMax: Number.MAX_SAFE_INTEGER });

  return {
    toProfileKey(externalId) {
      return remember(profileKeys, toName(externalId), () => inner.toProfileKey(externalId));
    },
    seal: (externalId) => remember(seals, externalId, () => inner.seal(externalId)),
    unseal: (sealed) => inner.unseal(sealed),
  };
}

function toName(externalId: Parameters<Pseudonymizer['toProfileKey']>[0]): string {
  if ('userId' in externalId) return `u${externalId.userId}`;
  return 'anonymousId' in externalId ? `a${externalId.anonymousId}` : `g${externalId.accountId}`;
}

function remember<V>(cache: LruCache<string, V>, key: string, compute: () => V): V {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const value = compute();
  cache.set(key, value);
  return value;
}
