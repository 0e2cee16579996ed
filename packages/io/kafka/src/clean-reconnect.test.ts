import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Connection, installCleanReconnect } from './clean-reconnect.js';
import { openKafkajsInternals } from './kafkajs-internals.js';

class FakeSocket extends EventEmitter {
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

/** A connection over fake sockets, which are added to `sockets`; `open` is called with the function that opens each. */
function createConnection(sockets: FakeSocket[], open: (onConnect: () => void) => void): RealConnection {
  const logger = { debug() {}, error() {}, namespace: () => logger };
  const ConnectionClass = openKafkajsInternals()('kafkajs/src/network/connection.js') as new (
    options: object,
  ) => RealConnection;
  return new ConnectionClass({
    host: 'broker',
    port: 9092,
    logger,
    connectionTimeout: 1000,
    requestTimeout: 1000,
    socketFactory({ onConnect }: { onConnect: () => void }) {
      const socket = new FakeSocket();
      sockets.push(socket);
      open(onConnect);
      return socket;
    },
  });
}

beforeEach(() => {
  installCleanReconnect();
});

describe('a connection of kafkajs whose answer was cut off', () => {
  const fulfilled = jest.fn();
  let sockets: FakeSocket[];
  let connection: RealConnection;

  beforeEach(async () => {
    sockets = [];
    fulfilled.mockClear();
    connection = createConnection(sockets, setImmediate);
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

describe('a connection of kafkajs that several wait for', () => {
  const sockets: FakeSocket[] = [];
  let openings: (() => void)[];
  let connection: RealConnection;

  beforeEach(() => {
    sockets.length = 0;
    openings = [];
    connection = createConnection(sockets, (onConnect) => openings.push(onConnect));
  });

  afterEach(() => connection.disconnect());

  it('is opened once', async () => {
    const waiting = [connection.connect(), connection.connect()];
    expect(sockets).toHaveLength(1);
    for (const open of openings) open();
    expect(await Promise.all(waiting)).toEqual([true, true]);
    expect(await connection.connect()).toBe(true);
    expect(sockets).toHaveLength(1);
  });

  it('fails for each of them, and is tried anew by the next one', async () => {
    const waiting = [connection.connect(), connection.connect()];
    sockets[0]?.emit('error', new Error('refused'));
    sockets[0]?.emit('close');
    for (const result of await Promise.allSettled(waiting))
      expect(result).toMatchObject({ status: 'rejected', reason: { message: 'Connection error: refused' } });
    const next = connection.connect();
    openings[1]?.();
    expect(await next).toBe(true);
    expect(sockets[0]?.destroy).toHaveBeenCalled();
  });

  it('fails when it ends before it is open', async () => {
    const waiting = connection.connect();
    sockets[0]?.emit('end');
    sockets[0]?.emit('close');
    await expect(waiting).rejects.toMatchObject({ message: 'Closed before it was open', retriable: true });
  });
});
