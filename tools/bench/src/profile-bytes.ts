import { PROCESSOR_NAMES } from '@perennial/contracts';
import { toPartitionKeys } from '@perennial/keyed-processor';
import { connectRedis } from '@perennial/redis';
import { createLogger } from '@perennial/telemetry';
import type { Chain } from './chain.js';

/** Redis memory of a profile, in bytes, by processor: its state including the overhead of hash and timer. */
export async function readProfileBytes(chain: Chain): Promise<Record<string, number>> {
  const { namespace, partitions, endpoints } = chain.platform;
  const logger = createLogger({ service: 'bench', namespace, instanceId: 'bench', level: 'warn' });
  const redis = await connectRedis({ url: endpoints.redisUrl, logger, name: 'bench' });
  try {
    const bytes: Record<string, number> = {};
    for (const processor of PROCESSOR_NAMES) {
      let total = 0;
      let profiles = 0;
      for (let partition = 0; partition < partitions; partition++) {
        const { states, timers } = toPartitionKeys(namespace, processor, partition);
        profiles += await redis.hlen(states);
        for (const key of [states, timers]) total += Number((await redis.memory('USAGE', key, 'SAMPLES', 0)) ?? 0);
      }
      bytes[processor] = profiles === 0 ? 0 : total / profiles;
    }
    return bytes;
  } finally {
    await redis.quit();
  }
}
