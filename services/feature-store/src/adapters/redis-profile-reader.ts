import { toPartition } from '@perennial/contracts';
import { AppError, isAppError, toMessage } from '@perennial/kernel';
import { READER_FIELDS, toPartitionKeys, toReadableLogTime } from '@perennial/keyed-processor';
import type { ProfileReader } from '../domain/profile-reader.js';
import { PROCESSOR_NAME } from '../pipeline.js';

/** The two commands it takes; ioredis has them. */
export interface HashReader {
  hmget(key: string, ...fields: string[]): Promise<Array<string | null>>;
  hgetBuffer(key: string, field: string): Promise<Buffer | null>;
}

/**
 * Reads states as the processor wrote them, never writes. All commands of a call go out at once, so that autopipelining
 * makes one round trip of them (a node, on a cluster): one read a profile, one a partition for its log time.
 */
export function createRedisProfileReader(
  redis: HashReader,
  options: { readonly namespace: string; readonly partitions: number },
): ProfileReader {
  const keysOf = (partition: number) => toPartitionKeys(options.namespace, PROCESSOR_NAME, partition);
  return {
    async readProfiles(profileKeys) {
      const logTimes = new Map<number, Promise<number>>();
      const reads = profileKeys.map(async (profileKey) => {
        const partition = toPartition(profileKey, options.partitions);
        const keys = keysOf(partition);
        const state = redis.hgetBuffer(keys.states, profileKey);
        const logTime =
          logTimes.get(partition) ??
          redis.hmget(keys.meta, ...READER_FIELDS).then((fields) => toReadableLogTime(fields, partition));
        logTimes.set(partition, logTime);
        const [bytes, logTimeMs] = await Promise.all([state, logTime]);
        return { state: bytes, logTimeMs };
      });
      try {
        return await Promise.all(reads);
      } catch (error) {
        if (isAppError(error)) throw error;
        throw new AppError('dependency_unavailable', `cannot read profiles from Redis: ${toMessage(error)}`, {
          retriable: true,
          cause: error,
        });
      }
    },
  };
}
