import type { Log, LogProducer } from '@perennial/kafka';
import type { PartitionStore } from '../store.js';
import type { StoreServer } from './store-server.js';
import type { ToyDefinition } from './toy.js';

/**
 * One rule broken, to see that the simulator notices. Each is put between the real code and the simulated world (at the
 * store, the log or the definition), so nothing of it is in what ships.
 */
export interface Breakage {
  readonly name: string;
  /** At the server: what a call does there. */
  atServer?(server: StoreServer): PartitionStore;
  /** In a process, before the network. Made once an assignment. */
  inStore?(
    store: PartitionStore,
    around: { producer: () => LogProducer; process: object; place: string },
  ): PartitionStore;
  inLog?(log: Log): Log;
  inDefinition?(definition: ToyDefinition, around: { world: object }): ToyDefinition;
}
