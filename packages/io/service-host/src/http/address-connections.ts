import type { Server } from 'node:http';
import { toAddressKey } from './address-key.js';

/**
 * Closes a new connection at once while its address (an IPv6 network of 64 bits being one) has `max` open ones: one sender
 * must not hold all connections of a server. Behind a proxy every connection has the proxy's address, so there it must not
 * be used.
 */
export function limitAddressConnections(
  server: Server,
  { max, dropped }: { readonly max: number; readonly dropped: () => void },
): void {
  /** Open connections by address; bounded by the number of connections of the server. */
  const open = new Map<string, number>();
  server.on('connection', (socket) => {
    // Absent where the client has gone already.
    if (socket.remoteAddress === undefined) return;
    const key = toAddressKey(socket.remoteAddress);
    const count = open.get(key) ?? 0;
    if (count >= max) {
      dropped();
      socket.destroy();
      return;
    }
    open.set(key, count + 1);
    socket.once('close', () => {
      const left = (open.get(key) ?? 1) - 1;
      if (left === 0) open.delete(key);
      else open.set(key, left);
    });
  });
}
