import { AppError } from '@perennial/kernel';
import type { Redis } from 'ioredis';

/** Refuses a Redis that may drop keys when memory is short: state would vanish while its offset stays. */
export async function checkEvictionPolicy(redis: Redis, address: string): Promise<void> {
  const policy = parseEvictionPolicy(await redis.info('memory'));
  if (policy === 'noeviction') return;
  throw new AppError(
    'dependency_misconfigured',
    `Redis at ${address} has maxmemory-policy ${policy ?? 'unknown'}; it must be noeviction, else profiles would be lost silently`,
  );
}

/** The policy out of an `INFO memory` reply; undefined when it isn't told. */
export function parseEvictionPolicy(info: string): string | undefined {
  return /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
}
