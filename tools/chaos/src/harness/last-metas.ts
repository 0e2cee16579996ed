import type { PartitionMeta, PartitionStore } from '@perennial/keyed-processor';

/** The last commit of this process for each partition of one processor. */
export class LastMetas {
  readonly #metas = new Map<string, PartitionMeta>();

  of(processor: string, partition: number): PartitionMeta | undefined {
    return this.#metas.get(`${processor}/${partition}`);
  }

  watch(store: PartitionStore, { processor, partition }: { processor: string; partition: number }): PartitionStore {
    return {
      ...store,
      commit: async (fence, request) => {
        await store.commit(fence, request);
        // An empty commit is the end of a snapshot or of a restore: a snapshot begins and ends at one.
        if (request.states.length === 0 && request.outbox === undefined)
          this.#metas.set(`${processor}/${partition}`, request.meta);
      },
    };
  }
}
