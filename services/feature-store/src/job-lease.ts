import { createRandomToken } from '@perennial/kernel';

/** How long a job stands still after the process that ran it was killed. */
const LEASE_MS = 30_000;

/** The commands that a lease needs; ioredis has them. */
export interface LeaseStore {
  set(key: string, value: string, px: 'PX', ms: number, nx: 'NX'): Promise<'OK' | null>;
  get(key: string): Promise<string | null>;
  pexpire(key: string, ms: number): Promise<number>;
}

/**
 * Lets one process of a namespace do a background job at a time. It only saves work: two that do it at once do no harm, as a
 * fill or an unmerge writes the same bytes under the same names, and an audit only reads.
 */
export interface JobLease {
  /** True when this process has it for the next half minute. */
  hold(): Promise<boolean>;
}

export function createJobLease(
  redis: LeaseStore,
  { namespace, job }: { readonly namespace: string; readonly job: 'feature-fill' | 'feature-audit' | 'unmerge' },
): JobLease {
  const key = `{${namespace}:${job}}:lease`;
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
