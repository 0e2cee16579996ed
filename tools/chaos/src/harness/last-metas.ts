import type { PartitionMeta, PartitionStore } from '@perennial/keyed-processor';

/** What this process has committed last of each partition of one processor. */
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
        // A commit of nothing is the end of a snapshot, or of a restore: a snapshot begins and ends where one is.
        if (request.states.length === 0 && request.outbox === undefined)
          this.#metas.set(`${processor}/${partition}`, request.meta);
      },
    };
  }
}
