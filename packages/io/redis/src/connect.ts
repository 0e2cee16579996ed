import { AppError, toBackoffMs, toMessage } from '@perennial/kernel';
import type { Logger } from '@perennial/telemetry';
import { Redis } from 'ioredis';
import { checkEvictionPolicy } from './eviction-policy.js';

export type { Redis } from 'ioredis';

export interface RedisConnection {
  readonly url: string;
  readonly logger: Logger;
  /** Shown by `CLIENT LIST`, such as `scoring-3`. */
  readonly name: string;
  /** How long the first connection may take; default CONNECT_WAIT_MS_MAX. */
  readonly connectWaitMsMax?: number;
}

/** After this a start fails, and says so, instead of hanging. */
const CONNECT_WAIT_MS_MAX = 30_000;
/** A command that isn't answered by then has failed; whether it was executed is unknown. */
const COMMAND_TIMEOUT_MS = 10_000;
/** With commands under way Redis is connected anew after this: a connection may be lost without either end being told. */
const SILENCE_MS_MAX = 5_000;
const RECONNECT_BACKOFF = { initialMs: 50, maxMs: 2_000 };

/**
 * Connects, with auto-pipelining, and reconnects for ever. While Redis is away a command fails at once, and one that was
 * under way when the connection broke fails too: it is never sent again behind the caller's back, since a commit that
 * was executed and then repeated would look fenced. Throws `dependency_misconfigured` for a Redis that may evict keys,
 * `dependency_unavailable` when there is none.
 */
export async function connectRedis(connection: RedisConnection): Promise<Redis> {
  const { url, name, connectWaitMsMax = CONNECT_WAIT_MS_MAX } = connection;
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
    // After a failover the old primary answers READONLY until it is asked anew who is primary.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  });
  logConnection(redis, logger);
  try {
    await waitUntilReady(redis, connectWaitMsMax, toAddress(url));
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
    logger.info(away ? 'redis is back' : 'redis connected');
    away = false;
  });
  redis.on('error', (error) => {
    // Once an outage, not once an attempt.
    if (!away) logger.warn({ reason: toMessage(error) }, 'redis is away');
    away = true;
  });
}

async function waitUntilReady(redis: Redis, waitMsMax: number, address: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let lastError: unknown;
  try {
    await new Promise<void>((resolve, reject) => {
      redis.once('ready', resolve);
      redis.on('error', (error) => {
        lastError = error;
      });
      timer = setTimeout(() => {
        const why = lastError === undefined ? '' : `: ${toMessage(lastError)}`;
        reject(
          new AppError('dependency_unavailable', `no Redis at ${address} within ${waitMsMax} ms${why}`, {
            retriable: true,
            cause: lastError,
          }),
        );
      }, waitMsMax);
      // Its failures come as events, and it goes on by itself.
      redis.connect().catch(() => undefined);
    });
  } finally {
    clearTimeout(timer);
  }
}

/** Host and port without user and password. */
function toAddress(url: string): string {
  return URL.canParse(url) ? new URL(url).host || new URL(url).pathname : 'an invalid URL';
}
