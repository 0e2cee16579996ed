import type { BlobStore } from '@perennial/blob-store';
import type { Log, LogProducer } from '@perennial/kafka';
import type { Fence, PartitionMeta, PartitionStore } from '@perennial/keyed-processor';
import type { StoreServer } from './store-server.js';
import type { ToyDefinition } from './toy.js';

/** Reports that the rule was broken just now: a run in which that never happened proves nothing. */
export type OnBroken = () => void;

/** Whose store it is: what a mutant may keep something beside. */
export interface StoreOwner {
  /** One object for each process, to remember things by. */
  readonly process: object;
  /** `<processor>/<partition>`. */
  readonly place: string;
  readonly onBroken: OnBroken;
}

/** A rule broken at the ports of one process: the same in a simulated world and in a real service. Made anew at each assignment. */
export interface PortMutant {
  inStore?(store: PartitionStore, at: StoreOwner): PartitionStore;
  inLog?(log: Log, onBroken: OnBroken): Log;
}

/** What is known of a partition by its number. */
export type MetaOf = (partition: number) => PartitionMeta | undefined;

/**
 * One rule broken, to see that the simulator notices. Each stands between the real code and the simulated world (at the
 * store, the log or the definition), so nothing of it is in what ships.
 */
export interface Mutant extends PortMutant {
  /** What a call does at the server. */
  atServer?(server: StoreServer, onBroken: OnBroken): PartitionStore;
  inStore?(store: PartitionStore, at: StoreOwner & { readonly producer: () => LogProducer }): PartitionStore;
  /** `metaOf` gives what the server knows. Made once for each process. */
  inBlobs?(blobs: BlobStore, at: { readonly metaOf: MetaOf; readonly onBroken: OnBroken }): BlobStore;
  /** `world` is one object for each world, to remember things by. */
  inDefinition?(definition: ToyDefinition, at: { readonly world: object; readonly onBroken: OnBroken }): ToyDefinition;
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

/** A port whose fence is what `loosen` makes of it. */
export function withFence(
  server: StoreServer,
  loosen: (fence: Fence) => Fence,
  onBroken: OnBroken,
): Pick<PartitionStore, 'load' | 'commit'> {
  const toLoose = (fence: Fence): Fence => {
    const loose = loosen(fence);
    if (loose.owner !== fence.owner || loose.next !== fence.next || loose.commits !== fence.commits) onBroken();
    return loose;
  };
  return {
    load: (fence, request) => server.load(toLoose(fence), request),
    commit: (fence, request) => server.commit(toLoose(fence), request),
  };
}

/** A port whose fence does not go by the number of commits, while the partition is being restored or while it is not. */
export function uncounted(
  server: StoreServer,
  when: (restoring: boolean) => boolean,
  onBroken: OnBroken,
): PartitionStore {
  const loosen = (fence: Fence): Fence => {
    const restoring = server.meta?.restoring !== undefined;
    return when(restoring) ? { ...fence, commits: server.position.commits } : fence;
  };
  return { ...toPort(server), ...withFence(server, loosen, onBroken) };
}

/** What a mutant remembers, beside the thing it belongs to. */
const memories = new WeakMap<object, Map<string, Map<string, unknown>>>();

export function memoryOf(owner: object, place: string): Map<string, unknown> {
  const byPlace = memories.get(owner) ?? new Map<string, Map<string, unknown>>();
  memories.set(owner, byPlace);
  const memory = byPlace.get(place) ?? new Map<string, unknown>();
  byPlace.set(place, memory);
  return memory;
}
