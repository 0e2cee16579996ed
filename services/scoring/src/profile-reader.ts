import { toPartition } from '@perennial/contracts';
import { toPartitionKeys } from '@perennial/keyed-processor';
import type { Redis } from '@perennial/redis';
import { PROCESSOR_NAME } from './definition.js';
import type { ScoringState } from './domain/state.js';
import { scoringStateCodec } from './domain/state-codec.js';

/** Reads states straight from Redis, whichever instance owns the partition; never writes. */
export type ReadProfile = (profileKey: string) => Promise<ScoringState | undefined>;

export function createProfileReader(redis: Redis, options: { namespace: string; partitions: number }): ReadProfile {
  return async (profileKey) => {
    const partition = toPartition(profileKey, options.partitions);
    const { states } = toPartitionKeys(options.namespace, PROCESSOR_NAME, partition);
    const bytes = await redis.hgetBuffer(states, profileKey);
    return bytes === null ? undefined : scoringStateCodec.decode(bytes);
  };
}
