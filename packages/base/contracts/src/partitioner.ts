/** Kafka's murmur2 (org.apache.kafka.common.utils.Utils.murmur2) over a key's bytes, as a signed 32-bit number. */
export function murmur2(key: Uint8Array): number {
  const length = key.length;
  const m = 0x5bd1e995;
  let h = 0x9747b28c ^ length;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    let k =
      (key[i] as number) |
      ((key[i + 1] as number) << 8) |
      ((key[i + 2] as number) << 16) |
      ((key[i + 3] as number) << 24);
    k = Math.imul(k, m);
    k ^= k >>> 24;
    k = Math.imul(k, m);
    h = Math.imul(h, m) ^ k;
  }
  const rest = length - i;
  if (rest >= 3) h ^= (key[i + 2] as number) << 16;
  if (rest >= 2) h ^= (key[i + 1] as number) << 8;
  if (rest >= 1) h = Math.imul(h ^ (key[i] as number), m);
  h ^= h >>> 13;
  h = Math.imul(h, m);
  h ^= h >>> 15;
  return h | 0;
}

/** The partition that any Kafka client with the default partitioner picks for a key. */
export function toPartition(key: string | Uint8Array, partitions: number): number {
  const bytes = typeof key === 'string' ? Buffer.from(key) : key;
  return (murmur2(bytes) & 0x7fffffff) % partitions;
}
