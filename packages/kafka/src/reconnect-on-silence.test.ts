import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { must } from '@perennial/kernel';
import { installCleanReconnect } from './clean-reconnect.js';
import { openKafkajsInternals } from './kafkajs-internals.js';
import { type ConnectionPool, installReconnectOnSilence } from './reconnect-on-silence.js';

const REQUEST_TIMEOUT_MS = 200;

interface RealPool extends ConnectionPool {
  getConnection(index: number): Promise<unknown>;
  destroy(): Promise<void>;
}

/** A request with an empty body, whose answer nobody looks into. */
function createRequest(require: NodeJS.Require): object {
  const Encoder = require('kafkajs/src/protocol/encoder.js') as new () => object;
  return {
    request: { apiKey: 3, apiName: 'Metadata', apiVersion: 1, encode: async () => new Encoder() },
    response: { decode: async () => ({}), parse: async () => 'answered' },
  };
}

/** Answers a request with nothing but its correlation id, which is the number that follows size, key and version. */
function answer(socket: Socket, request: Buffer): void {
  const bytes = Buffer.alloc(8);
  bytes.writeInt32BE(4, 0);
  request.copy(bytes, 4, 8, 12);
  socket.write(bytes);
}

describe('a broker that does not answer', () => {
  const sockets: Socket[] = [];
  let silent: boolean;
  let server: Server;
  let pool: RealPool;
  let request: object;

  beforeEach(async () => {
    expect(installReconnectOnSilence() && installCleanReconnect()).toBe(true);
    silent = false;
    server = createServer((socket) => {
      const lost = silent;
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        // One that was open when the broker fell silent is lost for good.
        if (!silent && !lost && socket === sockets.at(-1)) answer(socket, bytes);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const logger = { debug() {}, error() {}, warn() {}, namespace: () => logger };
    const require = must(openKafkajsInternals(), 'kafkajs');
    const ConnectionPoolClass = require('kafkajs/src/network/connectionPool.js') as new (options: object) => RealPool;
    request = createRequest(require);
    pool = new ConnectionPoolClass({
      host: '127.0.0.1',
      port,
      clientId: 'test',
      logger,
      connectionTimeout: 1_000,
      requestTimeout: REQUEST_TIMEOUT_MS,
      enforceRequestTimeout: true,
      socketFactory: (require('kafkajs/src/network/socketFactory.js') as () => unknown)(),
    });
  });

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await pool.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  it('is connected anew, on all connections', async () => {
    await pool.getConnection(1);
    expect(await pool.send(request)).toBe('answered');
    expect(sockets).toHaveLength(2);
    silent = true;
    await expect(pool.send(request)).rejects.toMatchObject({ name: 'KafkaJSRequestTimeoutError' });
    await new Promise(setImmediate);
    silent = false;
    expect(await pool.send(request)).toBe('answered');
    expect(sockets).toHaveLength(3);
    expect(sockets.slice(0, 2).map(({ destroyed }) => destroyed)).toEqual([true, true]);
  });
});
