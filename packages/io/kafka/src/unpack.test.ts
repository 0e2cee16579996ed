import { describe, expect, it, jest } from '@jest/globals';
import { CODEC_NUMBERS, pack, packSnappyFramed } from '@perennial/kafka/testing';
import fc from 'fast-check';
import { DamagedBytes } from './byte-reader.js';
import { unpack } from './unpack.js';
import { UnpackedTooLarge } from './unpack-error.js';
import { PACKED_SAMPLES, toSample } from './unpack-test-kit.js';

const CODECS = ['gzip', 'snappy', 'lz4', 'zstd'] as const;
const MIB = 1_048_576;

jest.setTimeout(30_000);

describe('unpacking', () => {
  it.each(PACKED_SAMPLES)('reads %s of the reference library: %s', async (codec, _, base64) => {
    const unpacked = await unpack(CODEC_NUMBERS[codec], Buffer.from(base64, 'base64'), MIB);
    expect(unpacked.equals(toSample())).toBe(true);
  });

  it.each(CODECS)('reads all that %s packs, up to the limit exactly', async (codec) => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 3_000 }),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 50 }), fc.integer({ min: 1, max: 300_000 }))
        .map(([head, run]) => Buffer.concat([head, Buffer.alloc(run, 7), head])),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (given) => {
        const plain = Buffer.from(given);
        const packed = codec === 'snappy' && plain.length % 2 === 0 ? packSnappyFramed(plain) : pack(codec, plain);
        expect((await unpack(CODEC_NUMBERS[codec], packed, plain.length)).equals(plain)).toBe(true);
        if (plain.length === 1) return;
        await expect(unpack(CODEC_NUMBERS[codec], packed, plain.length - 1)).rejects.toThrow(UnpackedTooLarge);
      }),
      { numRuns: 60 },
    );
  });

  it.each(CODECS)('allocates no more than the limit for a bomb of %s', async (codec) => {
    const bomb = pack(codec, Buffer.alloc(16 * MIB));
    const before = process.memoryUsage();
    const failure = await unpack(CODEC_NUMBERS[codec], bomb, MIB / 4).catch((error: unknown) => error);
    const { external, arrayBuffers } = process.memoryUsage();
    expect(failure).toBeInstanceOf(UnpackedTooLarge);
    expect(Math.max(external - before.external, arrayBuffers - before.arrayBuffers)).toBeLessThan(8 * MIB);
  });

  it.each(CODECS)('gives an error or bytes within the limit for any damage to %s', async (codec) => {
    const samples = PACKED_SAMPLES.filter(([name]) => name === codec).map(([, , base64]) =>
      Buffer.from(base64, 'base64'),
    );
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...samples), damage, fc.nat(), async (sample, changes, cut) => {
        const packed = Buffer.from(sample.subarray(0, cut % 3 === 0 ? cut % sample.length : sample.length));
        for (const [at, byte] of changes) if (packed.length > 0) packed[at % packed.length] = byte;
        const result = await unpack(CODEC_NUMBERS[codec], packed, 20_000).catch((error: unknown) => error);
        if (Buffer.isBuffer(result)) expect(result.length).toBeLessThanOrEqual(20_000);
        else expect([DamagedBytes, UnpackedTooLarge]).toContain((result as Error).constructor);
      }),
      { numRuns: 400 },
    );
  });

  it('names a codec that does not exist', async () => {
    await expect(unpack(6, Buffer.alloc(3), MIB)).rejects.toThrow('codec 6 is none of none,gzip,snappy,lz4,zstd');
  });
});
