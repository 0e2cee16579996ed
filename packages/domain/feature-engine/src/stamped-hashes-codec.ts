import { type ByteReader, type ByteWriter, damaged } from './bytes.js';
import { EMPTY_HASHES, type StampedHashes, toOldest } from './stamped-hashes.js';

/** Each hash as eight bytes, and its stamp as the distance from `newest`, the greatest stamp or a greater number. */
export function writeHashes(writer: ByteWriter, table: StampedHashes, newest: number): void {
  const { halves, stamps } = table;
  writer.varint(stamps.length);
  for (let i = 0; i < stamps.length; i += 1) {
    writer.uint32(halves[2 * i] as number);
    writer.uint32(halves[2 * i + 1] as number);
    writer.varint(newest - (stamps[i] as number));
  }
}

/** Throws `contract_violation` for unsorted hashes: all other functions rely on the order. */
export function readHashes(reader: ByteReader, newest: number): StampedHashes {
  const count = reader.count(9);
  if (count === 0) return EMPTY_HASHES;
  if (reader.isLazy && count >= LAZY_MIN) return new LazyHashes(reader, count, newest);
  return decodeHashes(reader, count, newest);
}

function decodeHashes(reader: ByteReader, count: number, newest: number): StampedHashes {
  const halves = new Uint32Array(2 * count);
  const stamps = new Int32Array(count);
  for (let i = 0; i < count; i += 1) {
    halves[2 * i] = reader.uint32();
    halves[2 * i + 1] = reader.uint32();
    stamps[i] = newest - reader.varint();
    if (i > 0 && !isAscending(halves, i)) throw damaged('hashes are out of order');
  }
  return { halves, stamps, oldest: toOldest(stamps) };
}

/** With fewer, what it takes to decode them later is more than to decode them. */
const LAZY_MIN = 64;
/** Bytes of a hash. */
const HASH_BYTES = 8;

/** Hashes whose stamps are enough for a count. The hashes are decoded, and checked, when they are first used. */
class LazyHashes implements StampedHashes {
  readonly stamps: Int32Array;
  readonly oldest: number;
  readonly #decode: () => StampedHashes;
  #decoded: StampedHashes | undefined;

  constructor(reader: ByteReader, count: number, newest: number) {
    const own = reader.fork();
    this.#decode = () => decodeHashes(own, count, newest);
    this.stamps = new Int32Array(count);
    reader.distances(this.stamps, { from: newest, bytesEach: HASH_BYTES });
    this.oldest = toOldest(this.stamps);
  }

  get halves(): Uint32Array {
    this.#decoded ??= this.#decode();
    return this.#decoded.halves;
  }
}

function isAscending(halves: Uint32Array, index: number): boolean {
  const high = (halves[2 * index] as number) - (halves[2 * index - 2] as number);
  return high > 0 || (high === 0 && (halves[2 * index + 1] as number) > (halves[2 * index - 1] as number));
}
