import { AppError, type Clock, systemClock, toBackoffMs, toMessage, withLimit } from '@perennial/kernel';
import type { Logger } from '@perennial/telemetry';
import { Redis } from 'ioredis';
import { checkEvictionPolicy } from './eviction-policy.js';

export type { Redis } from 'ioredis';

export interface RedisConnection {
  readonly url: string;
  readonly logger: Logger;
  /** Shown in `CLIENT LIST`, such as `scoring-3`. */
  readonly name: string;
  /** Timeout of the first connection; default CONNECT_WAIT_MS_MAX. */
  readonly connectWaitMsMax?: number;
  /** Of that timeout; default: the system's. */
  readonly clock?: Clock;
}

/** After this time a start fails with an error instead of hanging. */
const CONNECT_WAIT_MS_MAX = 30_000;
/** Timeout of a command; whether it was executed is then unknown. */
const COMMAND_TIMEOUT_MS = 10_000;
/**
 * With commands in flight, Redis is reconnected after this silence: a connection may be lost without notice to either
 * end.
 */
const SILENCE_MS_MAX = 5_000;
const RECONNECT_BACKOFF = { initialMs: 50, maxMs: 2_000 };

/**
 * Connects, with auto-pipelining, and reconnects without limit. While Redis is unavailable a command fails at once, and
 * one that was in flight when the connection broke fails too. It is never resent without the caller's knowledge, since
 * a commit that was executed and then repeated would look fenced. Throws `dependency_misconfigured` for a Redis that
 * may evict keys, `dependency_unavailable` when it cannot connect.
 */
export async function connectRedis(connection: RedisConnection): Promise<Redis> {
  const { url, name, connectWaitMsMax = CONNECT_WAIT_MS_MAX, clock = systemClock } = connection;
  const logger = connection.logger.child({ redis: toAddress(url) });
  const redis = new Redis(url, {
    connectionName: name.replaceAll(/\s/g, '-'),
    enableAutoPipelining: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: SILENCE_MS_MAX,
    lazyConnect: true,
    retryStrategy: (attempt) => toBackoffMs(attempt, RECONNECT_BACKOFF, Math.random),
    // After a failover the old primary answers READONLY until the client resolves the primary again.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  });
  logConnection(redis, logger);
  try {
    await waitUntilReady(redis, { ms: connectWaitMsMax, clock, address: toAddress(url) });
    await checkEvictionPolicy(redis, toAddress(url));
    return redis;
  } catch (error) {
    redis.disconnect();
    throw error;
  }
}

function logConnection(redis: Redis, logger: Logger): void {
  let away = false;
  redis.on('ready', () => {
    logger.info(away ? 'redis connection restored' : 'redis connected');
    away = false;
  });
  redis.on('error', (error) => {
    // Once per outage, not once per attempt.
    if (!away) logger.warn({ reason: toMessage(error) }, 'redis connection lost');
    away = true;
  });
}

async function waitUntilReady(
  redis: Redis,
  { ms, clock, address }: { readonly ms: number; readonly clock: Clock; readonly address: string },
): Promise<void> {
  const message = `no Redis at ${address} within ${ms} ms`;
  const ready = new Promise<void>((resolve) => redis.once('ready', resolve));
  let lastError: unknown;
  redis.on('error', (error) => {
    lastError = error;
  });
  // Failures are reported by events, and the client reconnects by itself.
  redis.connect().catch(() => undefined);
  try {
    await withLimit({ ms, message, code: 'dependency_unavailable', clock }, () => ready);
  } catch (error) {
    if (lastError === undefined) throw error;
    throw new AppError('dependency_unavailable', `${message}: ${toMessage(lastError)}`, {
      retriable: true,
      cause: lastError,
    });
  }
}

/** Host and port, without user and password. */
function toAddress(url: string): string {
  return URL.canParse(url) ? new URL(url).host || new URL(url).pathname : 'an invalid URL';
}
