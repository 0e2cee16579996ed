import { toPartition } from '@perennial/contracts';
import type { FeatureSpecs } from '@perennial/feature-engine';
import { AppError, toMessage } from '@perennial/kernel';
import { READER_FIELDS, type StateCodec, toPartitionKeys, toReadableLogTime } from '@perennial/keyed-processor';
import type { Redis } from '@perennial/redis';
import { PROCESSOR_NAME } from './definition.js';
import type { ScoringState } from './domain/state.js';
import { createScoringStateCodec } from './domain/state-codec.js';

/**
 * Reads states straight from Redis, whichever instance owns the partition; never writes. Throws a retriable
 * `dependency_unavailable` while the partition is being restored.
 */
export type ReadProfile = (profileKey: string) => Promise<ScoringState | undefined>;

export function createProfileReader(
  redis: Redis,
  options: { namespace: string; partitions: number; specs: FeatureSpecs },
): ReadProfile {
  const codec = createScoringStateCodec(options.specs);
  return async (profileKey) => {
    const partition = toPartition(profileKey, options.partitions);
    const keys = toPartitionKeys(options.namespace, PROCESSOR_NAME, partition);
    const [bytes, fields] = await Promise.all([
      redis.hgetBuffer(keys.states, profileKey),
      redis.hmget(keys.meta, ...READER_FIELDS),
    ]);
    toReadableLogTime(fields, partition);
    return bytes === null ? undefined : decodeStored(codec, bytes);
  };
}

/** What we stored ourselves and cannot read, such as a newer release's, is our fault, not the request's. */
function decodeStored(codec: StateCodec<ScoringState>, bytes: Buffer): ScoringState {
  try {
    return codec.decode(bytes);
  } catch (error) {
    throw new AppError('dependency_misconfigured', toMessage(error), { cause: error });
  }
}
