import { type Access, createAccess, createTokenStore } from '@perennial/access';
import { createKafkaLog, type KafkaSecurity, type Log } from '@perennial/kafka';
import type { ReleaseStack } from '@perennial/kernel';
import { createPool, type Pool } from '@perennial/postgres';
import { connectRedis, type Redis } from '@perennial/redis';
import type { Logger } from '@perennial/telemetry';

/** The process that opens a connection, and where it registers the release. */
export interface Opener {
  /** Unique per process, such as `scoring-3f9a`: brokers and stores show it to operators who look for their clients. */
  readonly name: string;
  readonly logger: Logger;
  readonly releases: ReleaseStack;
}

/** The log; connects at first use. */
export function openLog(
  { name, logger, releases }: Opener,
  kafka: { readonly brokers: readonly string[]; readonly security: KafkaSecurity },
): Log {
  const log = createKafkaLog({ ...kafka, clientId: name, groupInstanceId: name, logger });
  releases.push('kafka', () => log.close());
  return log;
}

/** A ready connection to Redis. Throws `dependency_unavailable` or `dependency_misconfigured`. */
export function openRedis({ name, logger, releases }: Opener, { url }: { url: string }): Promise<Redis> {
  return releases.acquire(
    'redis',
    () => connectRedis({ url, logger, name }),
    // At the release no command is in flight, and QUIT would fail while Redis is unavailable.
    (redis) => redis.disconnect(),
  );
}

/** A pool of connections to PostgreSQL; connects at first use. */
export function openPool(
  { name, logger, releases }: Opener,
  { url, connectionsMax }: { url: string; connectionsMax: number },
): Pool {
  const pool = createPool({
    url,
    applicationName: name,
    connectionsMax,
    onIdleError: (error) => logger.warn({ error }, 'idle postgresql connection lost'),
  });
  releases.push('postgres', () => pool.end());
  return pool;
}

/** Access to this service: the tokens of a namespace, looked up in PostgreSQL at their first use. */
export function openAccess(pool: Pool, namespace: string): Access {
  return createAccess(createTokenStore(pool, namespace));
}
