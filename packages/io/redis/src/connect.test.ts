import { describe, expect, it } from '@jest/globals';
import type { Clock } from '@perennial/kernel';
import { createSilentLogger } from '@perennial/telemetry';
import { connectRedis } from './connect.js';
import { parseEvictionPolicy } from './eviction-policy.js';

describe('redis connection', () => {
  it('reads the eviction policy', () => {
    expect(parseEvictionPolicy('# Memory\r\nused_memory:1\r\nmaxmemory_policy:allkeys-lru\r\nx:1\r\n')).toBe(
      'allkeys-lru',
    );
    expect(parseEvictionPolicy('# Memory\r\n')).toBeUndefined();
  });

  it('says where there is no Redis, without the password, and gives up in time', async () => {
    const connecting = connectRedis({
      url: 'redis://:hush@127.0.0.1:1',
      logger: createSilentLogger(),
      name: 'test',
      connectWaitMsMax: 200,
    });
    await expect(connecting).rejects.toMatchObject({
      code: 'dependency_unavailable',
      message: expect.stringMatching(/^(?!.*hush).*127\.0\.0\.1:1 /),
    });
  });

  it('gives up by the clock that it was given', async () => {
    const waits: number[] = [];
    const clock: Clock = {
      now: () => 0,
      steadyMs: () => 0,
      wait: async (ms) => void waits.push(ms),
    };
    const connection = { url: 'redis://127.0.0.1:1', logger: createSilentLogger(), name: 'test', clock };
    await expect(connectRedis({ ...connection, connectWaitMsMax: 3_600_000 })).rejects.toMatchObject({
      code: 'dependency_unavailable',
      retriable: true,
    });
    expect(waits).toEqual([3_600_000]);
  });
});
