import { afterAll, beforeAll } from '@jest/globals';
import { createRandomToken } from '@perennial/kernel';
import { createRedisPartitionStore } from '@perennial/keyed-processor';
import { describePartitionStore } from '@perennial/keyed-processor/contract-suite';
import { connectRedis, type Redis } from '@perennial/redis';
import { createLogger } from '@perennial/telemetry';
import { readTestEnvironment } from '../support/environment.js';

let redis: Redis;

beforeAll(async () => {
  const logger = createLogger({ service: 'test', namespace: 'test', instanceId: 'test', level: 'error' });
  redis = await connectRedis({ url: readTestEnvironment().redisUrl, logger, name: 'test' });
});

afterAll(async () => {
  await redis?.quit();
});

describePartitionStore('Redis', async () =>
  createRedisPartitionStore(redis, { namespace: `t${createRandomToken()}`, processor: 'test', partition: 0 }),
);
