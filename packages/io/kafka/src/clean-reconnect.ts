import type { Socket } from 'node:net';
import { replaceKafkajsMethod } from './kafkajs-internals.js';

const CONNECTION_MODULE = 'kafkajs/src/network/connection.js';
const ERRORS_MODULE = 'kafkajs/src/errors.js';
/** Of the size that precedes each answer. */
const SIZE_BYTES = 4;

/** What is used of kafkajs's connection, which connects anew with the same object. */
export interface Connection {
  socket: Socket | undefined;
  /** An answer that has come in part: its bytes so far, and how many there must be before it is looked at again. */
  chunks: Buffer[];
  bytesBuffered: number;
  bytesNeeded: number;
  isConnected(): boolean;
  connect(): Promise<boolean>;
}

interface KafkajsErrors {
  readonly KafkaJSConnectionError: new (message: string) => Error;
}

const HEARD = ['data', 'end', 'error', 'timeout'];

/**
 * What kafkajs's connection gets wrong when it connects anew. It keeps what it has of an answer that was cut off, and reads
 * the first answer of the next connection as the rest of it: everything after that is out of step, and sooner or later an
 * error that nobody can catch ends the process. And each caller who finds it broken opens a socket: all but the last are
 * forgotten, and end the last one when the broker ends them. Here a connection begins with nothing, hears no more of the one
 * before, and is opened once, however many wait for it.
 */
export function installCleanReconnect(): void {
  replaceKafkajsMethod<Connection, 'connect'>(CONNECTION_MODULE, 'connect', (connect, require) => {
    const { KafkaJSConnectionError } = require(ERRORS_MODULE) as KafkajsErrors;
    const opening = new WeakMap<Connection, Promise<boolean>>();
    return function (this: Connection) {
      if (this.isConnected()) return connect.call(this);
      const begun = opening.get(this);
      if (begun !== undefined) return begun;
      if (this.socket !== undefined) discard(this.socket);
      this.chunks = [];
      this.bytesBuffered = 0;
      this.bytesNeeded = SIZE_BYTES;
      const opened = Promise.race([connect.call(this), failOnceClosed(this, KafkaJSConnectionError)]);
      opening.set(this, opened);
      return opened.finally(() => opening.delete(this));
    };
  });
}

/** What it has still to say would be taken for a word of the next one. */
function discard(socket: Socket): void {
  for (const event of HEARD) socket.removeAllListeners(event);
  socket.on('error', () => undefined);
  socket.destroy();
}

/** kafkajs leaves those who wait for a socket that is ended before it is open (TLS) waiting for ever. */
function failOnceClosed({ socket }: Connection, Failure: KafkajsErrors['KafkaJSConnectionError']): Promise<never> {
  return new Promise((_resolve, reject) => {
    // After kafkajs has had its turn: what it says of an error tells more.
    socket?.once('close', () => setImmediate(() => reject(new Failure('Closed before it was open'))));
  });
}
