import type { BlobStore } from '@perennial/blob-store';
import type { Log, LogProducer } from '@perennial/kafka';
import type { Fence, PartitionMeta, PartitionStore } from '@perennial/keyed-processor';
import type { WorldKind } from './layout.js';
import type { StoreServer } from './store-server.js';
import type { AnyDefinition } from './subject.js';

/** Reports that the rule was broken just now: a run in which that never happened proves nothing. */
export type OnBroken = () => void;

/** The store's process and partition, with which a mutant may keep data. */
export interface StoreOwner {
  /** One object for each process, as a key for remembered data. */
  readonly process: object;
  /** `<processor>/<partition>`. */
  readonly place: string;
  readonly onBroken: OnBroken;
}

/**
 * A rule broken at the ports of one process, in a simulated world as in a real service. Created again at each
 * assignment.
 */
export interface PortMutant {
  inStore?(store: PartitionStore, at: StoreOwner): PartitionStore;
  inLog?(log: Log, onBroken: OnBroken): Log;
}

/** The meta of a partition by its number. */
export type MetaOf = (partition: number) => PartitionMeta | undefined;

/**
 * One broken rule, to verify that the simulator detects it. Each mutant wraps a port between the real code and the
 * simulated world (the store, the log or the definition), so it is not in any shipped code.
 */
export interface Mutant extends PortMutant {
  /** The worlds that can show it; all, when absent. */
  readonly only?: WorldKind;
  /** Changes what a call does at the server. */
  atServer?(server: StoreServer, onBroken: OnBroken): PartitionStore;
  inStore?(store: PartitionStore, at: StoreOwner & { readonly producer: () => LogProducer }): PartitionStore;
  /** `metaOf` gives the server's meta. Called once for each process. */
  inBlobs?(blobs: BlobStore, at: { readonly metaOf: MetaOf; readonly onBroken: OnBroken }): BlobStore;
  /** `world` is one object for each world, as a key for remembered data. */
  inDefinition?(definition: AnyDefinition, at: { readonly world: object; readonly onBroken: OnBroken }): AnyDefinition;
}

/** A server's port, whose methods can be replaced. */
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

/** A port whose fence is replaced by the result of `loosen`. */
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

/** A port whose fence ignores the number of commits, either while the partition is being restored or otherwise. */
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

/** Data that a mutant remembers for an object. */
const memories = new WeakMap<object, Map<string, Map<string, unknown>>>();

export function memoryOf(owner: object, place: string): Map<string, unknown> {
  const byPlace = memories.get(owner) ?? new Map<string, Map<string, unknown>>();
  memories.set(owner, byPlace);
  const memory = byPlace.get(place) ?? new Map<string, unknown>();
  byPlace.set(place, memory);
  return memory;
}
