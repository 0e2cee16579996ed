import { createRandomToken } from '@perennial/kernel';

/** The commands that a lease needs; ioredis has them. */
interface LeaseStore {
  set(key: string, value: string, px: 'PX', ms: number, nx: 'NX'): Promise<'OK' | null>;
  get(key: string): Promise<string | null>;
  pexpire(key: string, ms: number): Promise<number>;
}

/**
 * Lets one process of a namespace do a background job at a time. It only saves work: two that do it at once must do no harm, as
 * where both write the same bytes under the same names, or the log says what is in force.
 */
export interface JobLease {
  /** True when this process has it for the next `leaseMs`. */
  hold(): Promise<boolean>;
}

/** `leaseMs`: how long the job stands still after the process that ran it was killed. */
export function createJobLease(
  redis: LeaseStore,
  { namespace, job, leaseMs }: { readonly namespace: string; readonly job: string; readonly leaseMs: number },
): JobLease {
  const key = `{${namespace}:${job}}:lease`;
  const token = createRandomToken();
  return {
    async hold() {
      if ((await redis.set(key, token, 'PX', leaseMs, 'NX')) === 'OK') return true;
      if ((await redis.get(key)) !== token) return false;
      await redis.pexpire(key, leaseMs);
      return true;
    },
  };
}
