import type { Socket } from 'node:net';
import { replaceKafkajsMethod } from './kafkajs-internals.js';

const CONNECTION_MODULE = 'kafkajs/src/network/connection.js';
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

const HEARD = ['data', 'end', 'error', 'timeout'];

/**
 * kafkajs keeps what it has of an answer that was cut off, and reads the first answer of the next connection as the rest of
 * it: everything after that is out of step, and sooner or later an error that nobody can catch ends the process. Here a
 * connection begins with nothing, and hears no more of the one before. False when kafkajs is another version than the one known.
 */
export function installCleanReconnect(): boolean {
  return replaceKafkajsMethod<Connection, 'connect'>(
    CONNECTION_MODULE,
    'connect',
    (connect) =>
      function (this: Connection) {
        if (!this.isConnected()) {
          // One that still connects belongs to a caller who waits for it.
          if (this.socket?.connecting === false) discard(this.socket);
          this.chunks = [];
          this.bytesBuffered = 0;
          this.bytesNeeded = SIZE_BYTES;
        }
        return connect.call(this);
      },
  );
}

/** What it has still to say would be taken for a word of the next one. */
function discard(socket: Socket): void {
  for (const event of HEARD) socket.removeAllListeners(event);
  socket.on('error', () => undefined);
  socket.destroy();
}
