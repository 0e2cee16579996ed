import { AppError } from '@perennial/kernel';
import type { Redis } from 'ioredis';

/** Rejects a Redis that may evict keys when memory is short: state would be lost while its offset stays. */
export async function checkEvictionPolicy(redis: Redis, address: string): Promise<void> {
  const policy = parseEvictionPolicy(await redis.info('memory'));
  if (policy === 'noeviction') return;
  throw new AppError(
    'dependency_misconfigured',
    `Redis at ${address} has maxmemory-policy ${policy ?? 'unknown'}; it must be noeviction, else profiles would be lost silently`,
  );
}

/** The policy in an `INFO memory` reply; undefined when the reply has none. */
export function parseEvictionPolicy(info: string): string | undefined {
  return /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
}
