import { type Fence, type PartitionStore, toPartitionKeys } from '@perennial/keyed-processor';
import type { StoreAddress } from '@perennial/keyed-processor/internals';
import type { OnBroken } from '@perennial/simulation';

/** A store whose fence checks the owner alone: the partition's offset is read from Redis just before each call. */
export function withLooseOffset(
  store: PartitionStore,
  { namespace, processor, partition, redis }: StoreAddress,
  onBroken: OnBroken,
): PartitionStore {
  const { meta } = toPartitionKeys(namespace, processor, partition);
  const loosen = async (fence: Fence): Promise<Fence> => {
    const [next, commits] = (await redis.hmget(meta, 'next', 'commits')).map((field) => Number(field ?? 0));
    if (next === undefined || commits === undefined) return fence;
    if (next !== fence.next || commits !== fence.commits) onBroken();
    return { owner: fence.owner, next, commits };
  };
  return {
    ...store,
    load: async (fence, request) => store.load(await loosen(fence), request),
    commit: async (fence, request) => store.commit(await loosen(fence), request),
  };
}
