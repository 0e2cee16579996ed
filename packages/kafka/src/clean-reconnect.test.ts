import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Connection, installCleanReconnect } from './clean-reconnect.js';
import { openKafkajsInternals } from './kafkajs-internals.js';

class FakeSocket extends EventEmitter {
  readonly connecting = false;
  readonly destroy = jest.fn();
  end(): void {}
  unref(): void {}
}

type RealConnection = Connection & {
  disconnect(): Promise<boolean>;
  requestQueue: { fulfillRequest: (answer: object) => void };
};

function toAnswer(correlationId: number, payload: string): Buffer {
  const bytes = Buffer.alloc(8 + payload.length);
  bytes.writeInt32BE(4 + payload.length, 0);
  bytes.writeInt32BE(correlationId, 4);
  bytes.write(payload, 8);
  return bytes;
}

describe('a connection of kafkajs whose answer was cut off', () => {
  const sockets: FakeSocket[] = [];
  const fulfilled = jest.fn();
  let connection: RealConnection;

  beforeEach(async () => {
    expect(installCleanReconnect()).toBe(true);
    sockets.length = 0;
    fulfilled.mockClear();
    const logger = { debug() {}, error() {}, namespace: () => logger };
    const ConnectionClass = openKafkajsInternals()?.('kafkajs/src/network/connection.js') as new (
      options: object,
    ) => RealConnection;
    connection = new ConnectionClass({
      host: 'broker',
      port: 9092,
      logger,
      connectionTimeout: 1000,
      requestTimeout: 1000,
      socketFactory({ onConnect }: { onConnect: () => void }) {
        const socket = new FakeSocket();
        sockets.push(socket);
        setImmediate(onConnect);
        return socket;
      },
    });
    connection.requestQueue.fulfillRequest = fulfilled;
    await connection.connect();
    sockets[0]?.emit('data', toAnswer(1, 'the beginning of a long answer').subarray(0, 20));
    sockets[0]?.emit('error', new Error('reset'));
    await new Promise(setImmediate);
    await connection.connect();
  });

  afterEach(() => connection.disconnect());

  it('reads what comes over the next one from its beginning', () => {
    sockets[1]?.emit('data', toAnswer(2, 'whole'));
    expect(fulfilled).toHaveBeenCalledTimes(1);
    expect(fulfilled).toHaveBeenCalledWith({ size: 9, correlationId: 2, payload: Buffer.from('whole') });
  });

  it('hears no more of the one before', () => {
    sockets[0]?.emit('data', Buffer.from('late'));
    sockets[0]?.emit('end');
    sockets[0]?.emit('error', new Error('late'));
    expect(sockets[0]?.destroy).toHaveBeenCalled();
    expect(connection.isConnected()).toBe(true);
    sockets[1]?.emit('data', toAnswer(3, 'whole'));
    expect(fulfilled).toHaveBeenCalledWith(expect.objectContaining({ correlationId: 3 }));
  });
});
