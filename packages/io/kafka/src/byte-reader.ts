/** Bytes that are not of the form that Kafka's protocol gives them. */
export class DamagedBytes extends Error {
  override readonly name = 'DamagedBytes';
}

const VARINT_BYTES_MAX = 5;
const VARLONG_BYTES_MAX = 10;

/**
 * Reads Kafka's primitive types (https://kafka.apache.org/protocol#protocol_types) from a buffer. Every read is checked
 * against the end: throws DamagedBytes, never reads beyond it, and copies nothing but text.
 */
export class ByteReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  at: number;

  constructor(bytes: Buffer, from = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.at = from;
    this.#end = end;
  }

  get left(): number {
    return this.#end - this.at;
  }

  int8(): number {
    return this.#bytes.readInt8(this.#take(1));
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#take(2));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4));
  }

  /** Offsets and times are far below 2^53. */
  int64(): number {
    return Number(this.#bytes.readBigInt64BE(this.#take(8)));
  }

  /** Ids may have any value. */
  int64Text(): string {
    return String(this.#bytes.readBigInt64BE(this.#take(8)));
  }

  /** A number of bytes or items: -1 means null. */
  length(count: number): number {
    if (count >= -1 && count <= this.left) return count;
    throw new DamagedBytes(`a length of ${count} at byte ${this.at}, where ${this.left} bytes are left`);
  }

  text(): string | null {
    const bytes = this.length(this.int16());
    return bytes < 0 ? null : this.#text(bytes);
  }

  /** Zigzag, 32 bits. */
  varint(): number {
    let result = 0;
    for (let index = 0; index < VARINT_BYTES_MAX; index++) {
      const byte = this.#byte();
      result |= (byte & 0x7f) << (7 * index);
      if (byte < 0x80) return (result >>> 1) ^ -(result & 1);
    }
    throw new DamagedBytes(`a varint of more than ${VARINT_BYTES_MAX} bytes at byte ${this.at}`);
  }

  /** Zigzag, 64 bits, as a double: it is exact up to 2^53. */
  varlong(): number {
    let result = 0;
    for (let index = 0; index < VARLONG_BYTES_MAX; index++) {
      const byte = this.#byte();
      result += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return result % 2 === 0 ? result / 2 : -(result + 1) / 2;
    }
    throw new DamagedBytes(`a varlong of more than ${VARLONG_BYTES_MAX} bytes at byte ${this.at}`);
  }

  varintBytes(): Buffer | null {
    const bytes = this.length(this.varint());
    return bytes < 0 ? null : this.slice(bytes);
  }

  varintText(): string | null {
    const bytes = this.length(this.varint());
    return bytes < 0 ? null : this.#text(bytes);
  }

  /** The next bytes, as a view. */
  slice(bytes: number): Buffer {
    const from = this.#take(bytes);
    return this.#bytes.subarray(from, from + bytes);
  }

  skip(bytes: number): void {
    this.#take(bytes);
  }

  #text(bytes: number): string {
    const from = this.#take(bytes);
    return this.#bytes.toString('utf8', from, from + bytes);
  }

  #byte(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  #take(bytes: number): number {
    if (bytes < 0 || bytes > this.left) {
      throw new DamagedBytes(`${bytes} bytes are needed at byte ${this.at}, where ${this.left} are left`);
    }
    const from = this.at;
    this.at += bytes;
    return from;
  }
}
