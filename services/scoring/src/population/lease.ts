import { createRandomToken } from '@perennial/kernel';

const LEASE_MS = 120_000;

/** The commands that a lease needs; ioredis has them. */
export interface LeaseStore {
  set(key: string, value: string, px: 'PX', ms: number, nx: 'NX'): Promise<'OK' | null>;
  get(key: string): Promise<string | null>;
  pexpire(key: string, ms: number): Promise<number>;
}

/**
 * Lets one process of a namespace measure at a time: true while this one may. It only saves work: the log says what is in force,
 * and what two wrote is put right by the next measurement.
 */
export function createPopulationLease(redis: LeaseStore, namespace: string): () => Promise<boolean> {
  const key = `{${namespace}:population}:lease`;
  const token = createRandomToken();
  return async () => {
    if ((await redis.set(key, token, 'PX', LEASE_MS, 'NX')) === 'OK') return true;
    if ((await redis.get(key)) !== token) return false;
    await redis.pexpire(key, LEASE_MS);
    return true;
  };
}
