import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { AppError } from '@perennial/kernel';

/** The only address on which parts listen. */
export const LOOPBACK = '127.0.0.1';

// Below the range that Linux and macOS use for outgoing connections, so that none of those takes a chosen port first.
const PORT_MIN = 20_000;
const PORT_MAX = 32_000;
const TRIES_MAX = 100;

/** True when nothing listens on this port of the loopback address. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, LOOPBACK, () => server.close(() => resolve(true)));
  });
}

/** The preferred port where it is free, else any free one. */
export async function pickPort(preferred?: number): Promise<number> {
  if (preferred !== undefined && (await isPortFree(preferred))) return preferred;
  for (let i = 0; i < TRIES_MAX; i++) {
    const port = randomInt(PORT_MIN, PORT_MAX);
    if (await isPortFree(port)) return port;
  }
  throw new AppError(
    'resource_exhausted',
    `found no free port between ${PORT_MIN} and ${PORT_MAX} in ${TRIES_MAX} tries`,
  );
}

/** Throws `config_invalid` when a requested port is taken, with its purpose and how to choose another. */
export async function requirePort(port: number, { owner, option }: { owner: string; option: string }): Promise<number> {
  if (await isPortFree(port)) return port;
  throw new AppError(
    'config_invalid',
    `port ${port} for ${owner} is taken by another program: free it, or choose another with ${option}`,
  );
}
