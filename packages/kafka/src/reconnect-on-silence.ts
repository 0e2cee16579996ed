import type { Socket } from 'node:net';
import { replaceKafkajsMethod } from './kafkajs-internals.js';

const CONNECTION_POOL_MODULE = 'kafkajs/src/network/connectionPool.js';
const TIMED_OUT = 'KafkaJSRequestTimeoutError';

/** What is used of kafkajs's connections to one broker. */
export interface ConnectionPool {
  readonly pool: ReadonlyArray<{ readonly socket?: Socket | undefined }>;
  send(request: object): Promise<unknown>;
}

/**
 * kafkajs goes on with a connection that did not answer a request. Where nothing passes any more and nobody says so, since
 * the broker's machine was replaced or a firewall forgot, each further request is in vain too, until the kernel gives up
 * after a quarter of an hour. Here a broker that does not answer in time is connected anew, as librdkafka and the Java client
 * do. False when kafkajs is another version than the one known.
 */
export function installReconnectOnSilence(): boolean {
  return replaceKafkajsMethod<ConnectionPool, 'send'>(
    CONNECTION_POOL_MODULE,
    'send',
    (send) =>
      async function (this: ConnectionPool, request) {
        try {
          return await send.call(this, request);
        } catch (error) {
          // All of them: they took the same way, and each would find out for itself, one after the other.
          if ((error as Error).name === TIMED_OUT) for (const { socket } of this.pool) socket?.destroy(error as Error);
          throw error;
        }
      },
  );
}
