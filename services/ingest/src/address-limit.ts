import { type Clock, LruCache, systemClock } from '@perennial/kernel';
import { toAddressKey } from '@perennial/service-host';
import { type TokenBucket, takeTokens } from './domain/token-bucket.js';

export const ADDRESS_LIMITS = {
  /** Requests per second from one address whose write key is not known before their body is read. */
  perSecondDefault: 50,
  /** Seconds of that rate which an address that was silent may use at once: an office, or a page that sends its backlog. */
  burstSeconds: 10,
  /** Addresses remembered; the one silent for longest is forgotten, so its allowance is full again. */
  addressesMax: 50_000,
  /** Open connections of one address, so that one sender cannot hold all of the server's. An idle one holds some 20 KB. */
  connectionsMax: 1_000,
} as const;

/** The limit of an address for requests that cost work before their source is known. */
export interface AddressLimit {
  /** Takes one request from the allowance. Returns 0, or the milliseconds to wait when there is none left. */
  take(address: string): number;
  /** The same without taking. */
  check(address: string): number;
}

export function createAddressLimit(perSecond: number, clock: Clock = systemClock): AddressLimit {
  const { addressesMax, burstSeconds } = ADDRESS_LIMITS;
  const buckets = new LruCache<string, TokenBucket>({ entriesMax: addressesMax, sizeMax: addressesMax });
  const use = (address: string, count: number) => {
    const key = toAddressKey(address);
    const request = { count, perSecond, capacity: perSecond * burstSeconds, nowMs: clock.steadyMs() };
    const decision = takeTokens(buckets.get(key), request);
    buckets.set(key, decision.bucket);
    return decision.kind === 'admitted' ? 0 : decision.retryAfterMs;
  };
  return { take: (address) => use(address, 1), check: (address) => use(address, 0) };
}
