import type { Socket } from 'node:net';
import { replaceKafkajsMethod } from './kafkajs-internals.js';

const CONNECTION_MODULE = 'kafkajs/src/network/connection.js';
const ERRORS_MODULE = 'kafkajs/src/errors.js';
/** Length of the size field before each response. */
const SIZE_BYTES = 4;

/** The used part of kafkajs's connection. kafkajs reconnects with the same object. */
export interface Connection {
  socket: Socket | undefined;
  /** A partly received response: its bytes so far, and how many are needed before it is parsed again. */
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
 * Fixes two defects of kafkajs's connection when it reconnects. First, it keeps the bytes of a response that was cut
 * off and reads the first response of the next connection as the rest of it. All later responses are then misaligned,
 * and sooner or later an error that cannot be caught ends the process. Second, every concurrent caller that finds the
 * connection broken opens a socket. All but the last are forgotten, and they close the last one when the broker closes
 * them. With this patch a connection starts with an empty buffer, gets no events of the previous socket, and is opened
 * once for all concurrent callers.
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

/** Otherwise late events of this socket would be taken for events of the next one. */
function discard(socket: Socket): void {
  for (const event of HEARD) socket.removeAllListeners(event);
  socket.on('error', () => undefined);
  socket.destroy();
}

/** When a socket is closed before it is open (TLS), kafkajs never settles the callers that wait for it. */
function failOnceClosed({ socket }: Connection, Failure: KafkajsErrors['KafkaJSConnectionError']): Promise<never> {
  return new Promise((_resolve, reject) => {
    // After kafkajs has handled the event: its error message is more precise.
    socket?.once('close', () => setImmediate(() => reject(new Failure('Closed before it was open'))));
  });
}
