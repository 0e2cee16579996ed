import { describe, expect, it } from '@jest/globals';
import { toPartition } from '@perennial/contracts';
import { AppError } from '@perennial/kernel';
import { createStateReader, type HashReader, readNextOffset } from './state-reader.js';

const PARTITIONS = 4;
let unknownVersion = 255;
const KEYS = ['one', 'two', 'three', 'four', 'five', 'six'];

function createReader(redis: HashReader, partitions = 1, refresh?: () => Promise<void>) {
  return createStateReader(redis, {
    namespace: 'live',
    processor: 'feature-store',
    partitions,
    ...(refresh === undefined ? {} : { refresh }),
    decode(bytes) {
      if (bytes[0] === unknownVersion) throw new AppError('contract_violation', 'a state of version 255');
      return bytes.toString();
    },
  });
}

describe('a state reader', () => {
  it('reads the states of each partition by one command, and its log time by another', async () => {
    const asked: string[] = [];
    const redis: HashReader = {
      async hmget(key, ...fields) {
        asked.push(`${key} ${fields}`);
        return ['7', key.includes(':0}') ? null : '1234', ''];
      },
      async hmgetBuffer(key, ...fields) {
        asked.push(`${key} ${fields}`);
        return fields.map((field) => (field === 'two' ? null : Buffer.from(field)));
      },
    };
    const states = await createReader(redis, PARTITIONS)(KEYS);
    expect(states.map(({ state }) => state)).toEqual(['one', undefined, 'three', 'four', 'five', 'six']);
    expect(states.map(({ logTimeMs }) => logTimeMs)).toEqual(
      KEYS.map((key) => (toPartition(key, PARTITIONS) === 0 ? 0 : 1234)),
    );
    const used = [...new Set(KEYS.map((key) => toPartition(key, PARTITIONS)))];
    expect(asked).toHaveLength(2 * used.length);
    for (const partition of used) {
      const own = KEYS.filter((key) => toPartition(key, PARTITIONS) === partition);
      expect(asked).toContain(`{live:feature-store:${partition}}:states ${own}`);
    }
  });

  it('tells a store that is away from everything else', async () => {
    const fail = async () => Promise.reject(new Error('connection lost'));
    await expect(createReader({ hmget: fail, hmgetBuffer: fail })(KEYS)).rejects.toMatchObject({
      code: 'dependency_unavailable',
      retriable: true,
    });
  });

  it('does not blame the request for the state of a newer release', async () => {
    const redis: HashReader = { hmget: async () => ['0', '0', ''], hmgetBuffer: async () => [Buffer.of(255)] };
    await expect(createReader(redis)(['somebody'])).rejects.toMatchObject({
      code: 'dependency_misconfigured',
      message: 'a state of version 255',
    });
  });

  it('reads a state after all that this process had not heard of when it began', async () => {
    const redis: HashReader = {
      hmget: async () => ['0', '0', '', JSON.stringify([{ kind: 'features', number: 2, hash: 'h' }])],
      hmgetBuffer: async () => [Buffer.of(255)],
    };
    let refreshes = 0;
    const read = createReader(redis, 1, async () => {
      refreshes += 1;
      unknownVersion = 0;
    });
    try {
      const [stored] = await read(['somebody']);
      expect(stored?.inForce.get('features')).toEqual({ kind: 'features', number: 2, hash: 'h' });
      await read(['somebody']);
      expect(refreshes).toBe(1);
    } finally {
      unknownVersion = 255;
    }
  });

  it.each([
    ['an emptied store', [null, null, null], 'Redis was emptied'],
    ['a partition that is being restored', ['7', '1234', 'some-snapshot'], 'being restored'],
  ])('does not take %s for states never seen', async (_what, meta, reason) => {
    const redis: HashReader = { hmget: async () => meta, hmgetBuffer: async () => [] };
    await expect(createReader(redis)(KEYS)).rejects.toMatchObject({
      code: 'dependency_unavailable',
      retriable: true,
      message: expect.stringContaining(reason),
    });
  });

  it('says up to where the states follow the log, and not while they are restored', async () => {
    const at = { namespace: 'live', processor: 'p', partition: 0 };
    const read = (fields: Array<string | null>) => readNextOffset({ hmget: async () => fields }, at);
    expect(await read(['17', '5', null, '[]'])).toBe(17);
    await expect(read([null, null, null, null])).rejects.toMatchObject({ code: 'dependency_unavailable' });
    await expect(read(['17', '5', '3', '[]'])).rejects.toMatchObject({ retriable: true });
  });
});
