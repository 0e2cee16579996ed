import { createRandomToken } from '@perennial/kernel';

/** How long a fill stands still after the process that ran it was killed. */
const LEASE_MS = 30_000;

/** The commands that a lease needs; ioredis has them. */
export interface LeaseStore {
  set(key: string, value: string, px: 'PX', ms: number, nx: 'NX'): Promise<'OK' | null>;
  get(key: string): Promise<string | null>;
  pexpire(key: string, ms: number): Promise<number>;
}

/**
 * Lets one process of a namespace fill at a time. It only saves work: two that fill at once write the same bytes under
 * the same names, so a lease that two believe to hold does no harm.
 */
export interface FillLease {
  /** True when this process has it for the next half minute. */
  hold(): Promise<boolean>;
}

export function createFillLease(redis: LeaseStore, namespace: string): FillLease {
  const key = `{${namespace}:feature-fill}:lease`;
  const token = createRandomToken();
  return {
    async hold() {
      if ((await redis.set(key, token, 'PX', LEASE_MS, 'NX')) === 'OK') return true;
      if ((await redis.get(key)) !== token) return false;
      await redis.pexpire(key, LEASE_MS);
      return true;
    },
  };
}
