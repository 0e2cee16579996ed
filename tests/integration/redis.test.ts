import { describe, expect, it } from '@jest/globals';
import { createRandomToken, must, ReleaseStack } from '@perennial/kernel';
import { connectRedis } from '@perennial/redis';
import { openRedis } from '@perennial/service-host';
import { createSilentLogger } from '@perennial/telemetry';

const logger = createSilentLogger();
const url = () => must(process.env.PERENNIAL_TEST_REDIS_URL, 'PERENNIAL_TEST_REDIS_URL');

describe('redis', () => {
  it('connects, pipelines, and fails at once when the connection is cut instead of repeating a command', async () => {
    const redis = await connectRedis({ url: url(), logger, name: 'integration test' });
    const other = await connectRedis({ url: url(), logger, name: 'cutter' });
    const key = `t:${createRandomToken()}`;
    await Promise.all(Array.from({ length: 100 }, () => redis.incr(key)));
    expect(await redis.get(key)).toBe('100');
    const id = await redis.client('ID');
    const blocked = redis.blpop(`${key}:none`, 5);
    await other.client('KILL', 'ID', id);
    await expect(blocked).rejects.toThrow();
    const deadline = Date.now() + 5_000;
    while (redis.status !== 'ready' && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await redis.get(key)).toBe('100');
    await redis.del(key);
    redis.disconnect();
    other.disconnect();
  });

  it('is given back by a service though the connection is gone', async () => {
    const releases = new ReleaseStack();
    const redis = await openRedis({ name: 'integration test', logger, releases }, { url: url() });
    const ended = new Promise((resolve) => redis.once('end', resolve));
    redis.disconnect();
    await ended;
    await releases.dispose();
  });
});
