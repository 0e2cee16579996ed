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
  if (reader.isLazy) return new LazyHashes(reader, count, newest);
  return decodeHashes(reader, count, newest);
}

function decodeHashes(reader: ByteReader, count: number, newest: number): StampedHashes {
  const halves = new Uint32Array(2 * count);
  const distances = new Float64Array(count);
  reader.hashes(halves, distances);
  for (let i = 1; i < count; i += 1) if (!isAscending(halves, i)) throw damaged('hashes are out of order');
  const stamps = toStamps(distances, newest);
  return { halves, stamps, oldest: toOldest(stamps) };
}

function toStamps(distances: Float64Array, newest: number): Int32Array {
  const stamps = new Int32Array(distances.length);
  for (let i = 0; i < stamps.length; i += 1) stamps[i] = newest - (distances[i] as number);
  return stamps;
}

/** Hashes whose stamps are enough for a count. The hashes are decoded, and checked, when they are first used. */
class LazyHashes implements StampedHashes {
  readonly stamps: Int32Array;
  readonly oldest: number;
  readonly #decode: () => StampedHashes;
  #decoded: StampedHashes | undefined;

  constructor(reader: ByteReader, count: number, newest: number) {
    const own = reader.fork();
    this.#decode = () => decodeHashes(own, count, newest);
    const distances = new Float64Array(count);
    reader.hashes(undefined, distances);
    this.stamps = toStamps(distances, newest);
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
