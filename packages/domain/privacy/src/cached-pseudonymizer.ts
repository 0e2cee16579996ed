import { LruCache } from '@perennial/kernel';
import type { Pseudonymizer } from './pseudonymizer.js';

/** A pseudonymizer that keeps at most `entriesMax` results of each of its three functions. Failures are not kept. */
export function createCachedPseudonymizer(inner: Pseudonymizer, limits: { entriesMax: number }): Pseudonymizer {
  const profileKeys = new LruCache<string, string>({ entriesMax: limits.entriesMax, sizeMax: Number.MAX_SAFE_INTEGER });
  const seals = new LruCache<string, Buffer>({ entriesMax: limits.entriesMax, sizeMax: Number.MAX_SAFE_INTEGER });
  const unsealed = new LruCache<string, string>({ entriesMax: limits.entriesMax, sizeMax: Number.MAX_SAFE_INTEGER });

  return {
    toProfileKey(externalId) {
      return remember(profileKeys, toName(externalId), () => inner.toProfileKey(externalId));
    },
    seal: (externalId) => remember(seals, externalId, () => inner.seal(externalId)),
    unseal: (sealed) => remember(unsealed, toText(sealed), () => inner.unseal(sealed)),
  };
}

function toName(externalId: Parameters<Pseudonymizer['toProfileKey']>[0]): string {
  if ('userId' in externalId) return `u${externalId.userId}`;
  if ('kind' in externalId) return `k${externalId.kind}:${externalId.id}`;
  return 'anonymousId' in externalId ? `a${externalId.anonymousId}` : `g${externalId.accountId}`;
}

/** A character a byte: text is what a map finds fastest. */
function toText({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1');
}

function remember<V>(cache: LruCache<string, V>, key: string, compute: () => V): V {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const value = compute();
  cache.set(key, value);
  return value;
}
