import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createRandomToken } from '@perennial/kernel';
import { createRedisPartitionStore, toPartitionKeys } from '@perennial/keyed-processor';
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

it('goes on with a partition of a version that did not count its commits', async () => {
  const at = { namespace: `t${createRandomToken()}`, processor: 'test', partition: 0 };
  const store = createRedisPartitionStore(redis, at);
  const meta = { next: 7, ordinal: 0, commits: 1, logTimeMs: 0, sequence: 0, inForce: [], applied: {} };
  const nothing = { states: [], timers: [], outbox: undefined, acknowledged: [] };
  await store.acquire('before');
  await store.commit({ owner: 'before', next: 0, commits: 0 }, { ...nothing, meta });
  expect(await redis.hdel(toPartitionKeys(at.namespace, at.processor, at.partition).meta, 'commits')).toBe(1);
  expect((await store.acquire('after')).meta).toEqual({ ...meta, commits: 0 });
  const fence = { owner: 'after', next: 7, commits: 0 };
  await store.commit(fence, { ...nothing, meta });
  await expect(store.load(fence, { keys: [] })).rejects.toMatchObject({ code: 'fenced' });
  expect(await store.load({ ...fence, commits: 1 }, { keys: [] })).toMatchObject({ states: [] });
});

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
