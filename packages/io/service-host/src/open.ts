import { type Access, createAccess, createTokenStore } from '@perennial/access';
import { createKafkaLog, type Log } from '@perennial/kafka';
import type { ReleaseStack } from '@perennial/kernel';
import { createPool, type Pool } from '@perennial/postgres';
import { connectRedis, type Redis } from '@perennial/redis';
import type { Logger } from '@perennial/telemetry';

/** Who opens, and who will give it back. */
export interface Opener {
  /** Of this process alone, such as `scoring-3f9a`: brokers and stores show it to those who look for who is connected. */
  readonly name: string;
  readonly logger: Logger;
  readonly releases: ReleaseStack;
}

/** The log; connects when it is first used. */
export function openLog({ name, logger, releases }: Opener, { brokers }: { brokers: readonly string[] }): Log {
  const log = createKafkaLog({ brokers, clientId: name, groupInstanceId: name, logger });
  releases.push('kafka', () => log.close());
  return log;
}

/** A connection to Redis that is ready. Throws `dependency_unavailable` or `dependency_misconfigured`. */
export function openRedis({ name, logger, releases }: Opener, { url }: { url: string }): Promise<Redis> {
  return releases.acquire(
    'redis',
    () => connectRedis({ url, logger, name }),
    // When it is given back nothing is under way any more, and a farewell would fail where Redis is away.
    (redis) => redis.disconnect(),
  );
}

/** A pool of connections to PostgreSQL; connects when it is first used. */
export function openPool(
  { name, logger, releases }: Opener,
  { url, connectionsMax }: { url: string; connectionsMax: number },
): Pool {
  const pool = createPool({
    url,
    applicationName: name,
    connectionsMax,
    onIdleError: (error) => logger.warn({ error }, 'an idle postgres connection broke'),
  });
  releases.push('postgres', () => pool.end());
  return pool;
}

/** Who may ask this service: the tokens of a namespace, looked up in PostgreSQL when they are first seen. */
export function openAccess(pool: Pool, namespace: string): Access {
  return createAccess(createTokenStore(pool, namespace));
}
