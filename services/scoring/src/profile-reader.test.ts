import { describe, expect, it } from '@jest/globals';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import type { Redis } from '@perennial/redis';
import { createProfileReader } from './profile-reader.js';

function createReader(stored: Buffer | null) {
  const redis = { hgetBuffer: async () => stored, hmget: async () => ['0', '0', ''] } as unknown as Redis;
  return createProfileReader(redis, { namespace: 'test', partitions: 1, specs: new FeatureSpecs(ECOMMERCE_FEATURES) });
}

describe('createProfileReader', () => {
  it('knows nothing of a profile without a state', async () => {
    expect(await createReader(null)('nobody')).toBeUndefined();
  });

  it('does not blame the request for the state of a newer release', async () => {
    await expect(createReader(Buffer.of(255))('somebody')).rejects.toMatchObject({
      code: 'dependency_misconfigured',
      message: expect.stringContaining('of version 255'),
    });
  });
});
