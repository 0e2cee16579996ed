import type { PartitionStore } from '@perennial/keyed-processor';
import type { Network } from './network.js';
import type { SimulatedProcess } from './simulated-process.js';

/** A process's view of a partition's store: each method of the port is one call over the network. */
export function createStoreClient(
  server: PartitionStore,
  { network, process, place }: { network: Network; process: SimulatedProcess; place: string },
): PartitionStore {
  const call = <T>(what: string, execute: () => Promise<T>) =>
    network.call(process, { service: 'store', what: `${place} ${what}`, execute });
  return {
    acquire: (owner) => call('acquire', () => server.acquire(owner)),
    load: (fence, request) => call(`load ${fence.next}`, () => server.load(fence, request)),
    commit: (fence, request) => call(`commit ${fence.next}-${request.meta.next}`, () => server.commit(fence, request)),
    scan: (guard, from) => call(`scan ${from.cursor}`, () => server.scan(guard, from)),
    peek: (guard, keys) => call(`peek ${keys.length}`, () => server.peek(guard, keys)),
    wipe: (owner) => call('wipe', () => server.wipe(owner)),
  };
}
