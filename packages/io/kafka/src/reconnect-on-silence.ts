import type { Socket } from 'node:net';
import { replaceKafkajsMethod } from './kafkajs-internals.js';

const CONNECTION_POOL_MODULE = 'kafkajs/src/network/connectionPool.js';
const TIMED_OUT = 'KafkaJSRequestTimeoutError';

/**
 * The used part of kafkajs's connections to one broker. Each consumer, producer and admin client of a process has its
 * own.
 */
export interface ConnectionPool {
  readonly host: string;
  readonly port: number;
  getConnection(index?: number): Promise<{ readonly socket?: Socket | undefined }>;
  send(request: object): Promise<unknown>;
}

/** The open sockets of this process to each broker, by host and port. */
const sockets = new Map<string, Set<Socket>>();

/**
 * kafkajs keeps using a connection on which a request timed out. When a connection is lost without notice, because the
 * broker's machine was replaced or a firewall dropped its state, each further request times out too, until the kernel
 * gives up after a quarter of an hour. With this patch a broker that does not answer in time is reconnected, as in
 * librdkafka and the Java client. All clients of the process reconnect; otherwise each would have to time out by
 * itself, one after the other.
 */
export function installReconnectOnSilence(): void {
  replaceKafkajsMethod<ConnectionPool, 'getConnection'>(
    CONNECTION_POOL_MODULE,
    'getConnection',
    (getConnection) =>
      async function (this: ConnectionPool, index) {
        const connection = await getConnection.call(this, index);
        if (connection.socket !== undefined) remember(toAddress(this), connection.socket);
        return connection;
      },
  );
  replaceKafkajsMethod<ConnectionPool, 'send'>(
    CONNECTION_POOL_MODULE,
    'send',
    (send) =>
      async function (this: ConnectionPool, request) {
        try {
          return await send.call(this, request);
        } catch (error) {
          if ((error as Error).name === TIMED_OUT) giveUp(toAddress(this), error as Error);
          throw error;
        }
      },
  );
}

function toAddress({ host, port }: ConnectionPool): string {
  return `${host}:${port}`;
}

function remember(address: string, socket: Socket): void {
  const open = sockets.get(address) ?? new Set();
  if (open.has(socket) || socket.destroyed) return;
  sockets.set(address, open.add(socket));
  socket.once('close', () => {
    open.delete(socket);
    if (open.size === 0) sockets.delete(address);
  });
}

function giveUp(address: string, error: Error): void {
  for (const socket of sockets.get(address) ?? []) socket.destroy(error);
}
