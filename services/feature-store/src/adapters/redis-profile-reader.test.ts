import { describe, expect, it } from '@jest/globals';
import { toPartition } from '@perennial/contracts';
import { isAppError } from '@perennial/kernel';
import { createRedisProfileReader } from './redis-profile-reader.js';

const PARTITIONS = 4;
const KEYS = ['one', 'two', 'three', 'four', 'five', 'six'];

describe('profile reader over Redis', () => {
  it('reads each profile once and the log time of each partition once, where the processor wrote them', async () => {
    const asked: string[] = [];
    const reader = createRedisProfileReader(
      {
        async hmget(key, ...fields) {
          asked.push(`${key} ${fields}`);
          return ['7', key.includes(':0}') ? null : '1234', ''];
        },
        async hgetBuffer(key, field) {
          asked.push(`${key} ${field}`);
          return field === 'two' ? null : Buffer.from(field);
        },
      },
      { namespace: 'or', partitions: PARTITIONS },
    );
    const profiles = await reader.readProfiles(KEYS);
    expect(profiles.map(({ state }) => state?.toString())).toEqual(['one', undefined, 'three', 'four', 'five', 'six']);
    expect(profiles.map(({ logTimeMs }) => logTimeMs)).toEqual(
      KEYS.map((key) => (toPartition(key, PARTITIONS) === 0 ? 0 : 1234)),
    );
    const partitions = new Set(KEYS.map((key) => toPartition(key, PARTITIONS)));
    expect(asked).toHaveLength(KEYS.length + partitions.size);
    for (const key of KEYS) {
      expect(asked).toContain(`{or:feature-store:${toPartition(key, PARTITIONS)}}:states ${key}`);
    }
  });

  it('tells a store that is away from everything else', async () => {
    const fail = async () => Promise.reject(new Error('connection lost'));
    const reader = createRedisProfileReader({ hmget: fail, hgetBuffer: fail }, { namespace: 'live', partitions: 1 });
    const error = await reader.readProfiles(KEYS).catch((thrown: unknown) => thrown);
    expect(isAppError(error, 'dependency_unavailable')).toBe(true);
  });

  it.each([
    ['an emptied store', [null, null, null], 'Redis was emptied'],
    ['a partition that is being restored', ['7', '1234', 'some-snapshot'], 'being restored'],
  ])('does not take %s for profiles never seen', async (_what, meta, reason) => {
    const reader = createRedisProfileReader(
      { hmget: async () => meta, hgetBuffer: async () => null },
      { namespace: 'live', partitions: 1 },
    );
    await expect(reader.readProfiles(KEYS)).rejects.toMatchObject({
      code: 'dependency_unavailable',
      retriable: true,
      message: expect.stringContaining(reason),
    });
  });
});
