import type { PartitionStore } from '../store.js';
import type { Network } from './network.js';
import type { SimulatedProcess } from './simulated-process.js';

/** A process's view of a partition's store: each method of the port is one call over the network. */
export function createStoreClient(
  server: PartitionStore,
  { network, process, place }: { network: Network; process: SimulatedProcess; place: string },
): PartitionStore {
  return {
    acquire: (owner) => network.call(process, 'store', `${place} acquire`, () => server.acquire(owner)),
    load: (fence, request) =>
      network.call(process, 'store', `${place} load ${fence.next}`, () => server.load(fence, request)),
    commit: (fence, request) =>
      network.call(process, 'store', `${place} commit ${fence.next}-${request.meta.next}`, () =>
        server.commit(fence, request),
      ),
  };
}
