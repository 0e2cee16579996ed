import type { BlobStore } from '@perennial/blob-store';
import type { Log } from '@perennial/kafka';
import { Seam } from '@perennial/kernel';
import type { Redis } from '@perennial/redis';
import type { ProcessorDefinition } from './definition.js';
import type { SnapshotSettings } from './snapshot/open-snapshots.js';
import type { OpenPartitionStore, PartitionStore } from './store/store.js';

/** The process that a port belongs to. */
interface PortAddress {
  readonly namespace: string;
  readonly processor: string;
}

/** Location of the store of a partition. */
export interface StoreAddress extends PortAddress {
  readonly partition: number;
  readonly redis: Redis;
}

/**
 * What a harness wraps around the ports of a processor. A port is a plain object, so a copy with one method replaced is
 * a port too.
 */
export interface ProcessorWrappers {
  definition?<State, Input, Evidence>(
    definition: ProcessorDefinition<State, Input, Evidence>,
  ): ProcessorDefinition<State, Input, Evidence>;
  log?(log: Log, at: PortAddress): Log;
  store?(store: PartitionStore, at: StoreAddress): PartitionStore;
  blobs?(blobs: BlobStore, at: PortAddress): BlobStore;
}

/** Where a harness can wrap the ports of the processors of a real service. */
export const processorSeam = new Seam<ProcessorWrappers>('processor');

/** The ports of one processor. */
export interface ProcessorPorts<State, Input, Evidence> {
  readonly definition: ProcessorDefinition<State, Input, Evidence>;
  readonly log: Log;
  readonly openStore: OpenPartitionStore;
  readonly snapshots: SnapshotSettings | undefined;
}

/** The ports that a processor is to use: the given ones, unless a harness has installed a wrapper. */
export function passSeam<State, Input, Evidence>(
  ports: ProcessorPorts<State, Input, Evidence>,
  { namespace, redis }: { readonly namespace: string; readonly redis: Redis },
): ProcessorPorts<State, Input, Evidence> {
  const wrappers = processorSeam.pass();
  if (wrappers === undefined) return ports;
  const { definition, log, openStore, snapshots } = ports;
  const at: PortAddress = { namespace, processor: definition.name };
  return {
    definition: wrappers.definition?.(definition) ?? definition,
    log: wrappers.log?.(log, at) ?? log,
    openStore: (partition) => {
      const store = openStore(partition);
      return wrappers.store?.(store, { ...at, partition, redis }) ?? store;
    },
    snapshots: snapshots && { ...snapshots, blobs: wrappers.blobs?.(snapshots.blobs, at) ?? snapshots.blobs },
  };
}
