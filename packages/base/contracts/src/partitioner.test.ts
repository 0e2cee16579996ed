import { describe, expect, it } from '@jest/globals';
import { murmur2, toPartition } from './partitioner.js';

describe('murmur2', () => {
  // The values of Kafka's own UtilsTest.testMurmur2.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('hashes %s as Kafka does', (key, hash) => {
    expect(murmur2(Buffer.from(key))).toBe(hash);
  });

  it('gives partitions within range, for text and for bytes alike', () => {
    for (let i = 0; i < 200; i++) {
      const partition = toPartition(`key-${i}`, 12);
      expect(partition).toBe(toPartition(Buffer.from(`key-${i}`), 12));
      expect(partition >= 0 && partition < 12).toBe(true);
    }
  });
});
