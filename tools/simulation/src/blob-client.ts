import type { BlobStore } from '@perennial/blob-store';
import type { Network } from './network.js';
import type { SimulatedProcess } from './simulated-process.js';

/** A process's view of the blob store: each method is one call over the network. */
export function createBlobClient(
  server: BlobStore,
  { network, process }: { network: Network; process: SimulatedProcess },
): BlobStore {
  const call = <T>(what: string, execute: () => Promise<T>) =>
    network.call(process, { service: 'blobs', what, execute });
  return {
    put: (key, bytes) => call(`put ${key}`, () => server.put(key, bytes)),
    get: (key) => call(`get ${key}`, () => server.get(key)),
    list: (prefix) => call(`list ${prefix}`, () => server.list(prefix)),
    delete: (key) => call(`delete ${key}`, () => server.delete(key)),
  };
}
