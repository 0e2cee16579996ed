import type { BlobStore } from '@perennial/blob-store';
import type { Log, LogProducer } from '@perennial/kafka';
import type { Fence, PartitionStore } from '@perennial/keyed-processor';
import type { StoreServer } from './store-server.js';
import type { ToyDefinition } from './toy.js';

/** Where a store's client stands: what a broken one may use or keep something beside. */
interface StorePlace {
  /** The process's producer. */
  readonly producer: () => LogProducer;
  /** One object for each process, to remember things by. */
  readonly process: object;
  /** `<processor>/<partition>`. */
  readonly place: string;
}

/**
 * One rule broken, to see that the simulator notices. Each stands between the real code and the simulated world (at the
 * store, the log or the definition), so nothing of it is in what ships.
 */
export interface Mutant {
  readonly name: string;
  /** What a call does at the server. */
  atServer?(server: StoreServer): PartitionStore;
  /** What a process does before it calls. Made anew at each assignment. */
  inStore?(store: PartitionStore, at: StorePlace): PartitionStore;
  inLog?(log: Log): Log;
  /** `serverOf` gives the store of a partition as the server has it. Made once for each process. */
  inBlobs?(blobs: BlobStore, serverOf: (partition: number) => StoreServer): BlobStore;
  /** `world` is one object for each world, to remember things by. */
  inDefinition?(definition: ToyDefinition, world: object): ToyDefinition;
}

/** A server's port, to be changed in places. */
export function toPort(server: StoreServer): PartitionStore {
  return {
    acquire: (owner) => server.acquire(owner),
    load: (fence, request) => server.load(fence, request),
    commit: (fence, request) => server.commit(fence, request),
    scan: (guard, from) => server.scan(guard, from),
    peek: (guard, keys) => server.peek(guard, keys),
    wipe: (owner) => server.wipe(owner),
  };
}

/** A port whose fence does not go by the number of commits, while the partition is being restored or while it is not. */
export function uncounted(server: StoreServer, when: (restoring: boolean) => boolean): PartitionStore {
  const loosen = (fence: Fence): Fence => {
    const restoring = server.meta?.restoring !== undefined;
    return when(restoring) ? { ...fence, commits: server.position.commits } : fence;
  };
  return {
    ...toPort(server),
    load: (fence, request) => server.load(loosen(fence), request),
    commit: (fence, request) => server.commit(loosen(fence), request),
  };
}
