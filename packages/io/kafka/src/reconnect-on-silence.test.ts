import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { installCleanReconnect } from './clean-reconnect.js';
import { openKafkajsInternals } from './kafkajs-internals.js';
import { type ConnectionPool, installReconnectOnSilence } from './reconnect-on-silence.js';

const REQUEST_TIMEOUT_MS = 200;

interface RealPool extends ConnectionPool {
  destroy(): Promise<void>;
}

/** A request with an empty body, whose response is not decoded. */
function createRequest(require: NodeJS.Require): object {
  const Encoder = require('kafkajs/src/protocol/encoder.js') as new () => object;
  return {
    request: { apiKey: 3, apiName: 'Metadata', apiVersion: 1, encode: async () => new Encoder() },
    response: { decode: async () => ({}), parse: async () => 'answered' },
  };
}

/** Answers a request with its correlation id only, which follows size, key and version in the request. */
function answer(socket: Socket, request: Buffer): void {
  const bytes = Buffer.alloc(8);
  bytes.writeInt32BE(4, 0);
  request.copy(bytes, 4, 8, 12);
  socket.write(bytes);
}

describe('a broker that does not answer', () => {
  const sockets = new Set<Socket>();
  const lost = new Set<Socket>();
  let server: Server;
  let request: object;
  let consumer: RealPool;
  let producer: RealPool;

  beforeEach(async () => {
    installReconnectOnSilence();
    installCleanReconnect();
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        if (!lost.has(socket)) answer(socket, bytes);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const logger = { debug() {}, error() {}, warn() {}, namespace: () => logger };
    const require = openKafkajsInternals();
    const ConnectionPoolClass = require('kafkajs/src/network/connectionPool.js') as new (options: object) => RealPool;
    const socketFactory = (require('kafkajs/src/network/socketFactory.js') as () => unknown)();
    const timeouts = { connectionTimeout: 1_000, requestTimeout: REQUEST_TIMEOUT_MS, enforceRequestTimeout: true };
    const options = { host: '127.0.0.1', port, clientId: 'test', logger, socketFactory, ...timeouts };
    request = createRequest(require);
    consumer = new ConnectionPoolClass(options);
    producer = new ConnectionPoolClass(options);
  });

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    lost.clear();
    await Promise.all([consumer.destroy(), producer.destroy()]);
    await new Promise((resolve) => server.close(resolve));
  });

  it('is connected anew by all clients of the process', async () => {
    await consumer.getConnection(1);
    expect(await consumer.send(request)).toBe('answered');
    expect(await producer.send(request)).toBe('answered');
    expect(sockets.size).toBe(3);
    for (const socket of sockets) lost.add(socket);
    await expect(consumer.send(request)).rejects.toMatchObject({ name: 'KafkaJSRequestTimeoutError' });
    await new Promise(setImmediate);
    expect(await consumer.send(request)).toBe('answered');
    expect(await producer.send(request)).toBe('answered');
    expect(sockets.size).toBe(5);
  });
});
