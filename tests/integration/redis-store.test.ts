import { afterAll, beforeAll, expect, it } from '@jest/globals';
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

it('is opened while the connection has commands of others waiting', async () => {
  const logger = createLogger({ service: 'test', namespace: 'test', instanceId: 'test', level: 'error' });
  const fresh = await connectRedis({ url: readTestEnvironment().redisUrl, logger, name: 'fresh' });
  const other = fresh.get('nothing');
  const store = createRedisPartitionStore(fresh, {
    namespace: `t${createRandomToken()}`,
    processor: 'x',
    partition: 0,
  });
  expect(await store.acquire('owner')).toEqual({ meta: undefined, outboxes: [] });
  expect(await other).toBeNull();
  await fresh.quit();
});
