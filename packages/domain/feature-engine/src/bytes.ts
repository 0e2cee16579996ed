import { AppError } from '@perennial/kernel';

/** Shared by all writers, since only one writes at a time: a new buffer per state took a quarter of encoding time. */
let scratch = Buffer.allocUnsafeSlow(4096);

/** Writes numbers as varints into one growing buffer. From its creation to its `finish` no other may be created. */
export class ByteWriter {
  #bytes = scratch;
  #length = 0;

  /** Writes a whole number >= 0 that a double holds exactly: 7 bits per byte, least significant first. */
  varint(value: number): void {
    if (this.#length + 10 > this.#bytes.length) this.#grow(10);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** Writes a whole number of either sign. The sign is one bit of the first byte: doubling would lose the 53rd bit. */
  signed(value: number): void {
    this.#reserve(1);
    const magnitude = Math.abs(value);
    const rest = Math.floor(magnitude / 0x40);
    this.#bytes[this.#length++] = (magnitude % 0x40) | (value < 0 ? 0x40 : 0) | (rest > 0 ? 0x80 : 0);
    if (rest > 0) this.varint(rest);
  }

  uint32(value: number): void {
    this.#reserve(4);
    this.#length = this.#bytes.writeUInt32BE(value, this.#length);
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** A copy of the written bytes. */
  finish(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length));
  }

  #reserve(count: number): void {
    if (this.#length + count > this.#bytes.length) this.#grow(count);
  }

  #grow(count: number): void {
    const grown = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#length + count));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    scratch = grown;
  }
}

/** Reads what `ByteWriter` wrote; throws `contract_violation` when the bytes end early or are no valid number. */
export class ByteReader {
  /** Whether what a reading may not need is decoded when it is first used. */
  readonly isLazy: boolean;
  readonly #bytes: Buffer;
  #place = 0;

  constructor(bytes: Uint8Array, { isLazy = false }: { readonly isLazy?: boolean } = {}) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.isLazy = isLazy;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.#next();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
      scale *= 0x80;
    }
    if (!Number.isSafeInteger(value)) throw damaged('a number is too large');
    return value;
  }

  signed(): number {
    const first = this.#next();
    const magnitude = (first & 0x3f) + (first >= 0x80 ? this.varint() * 0x40 : 0);
    return (first & 0x40) === 0 || magnitude === 0 ? magnitude : -magnitude;
  }

  uint32(): number {
    if (this.#place + 4 > this.#bytes.length) throw damaged('they end early');
    this.#place += 4;
    return this.#bytes.readUInt32BE(this.#place - 4);
  }

  /** The next bytes, not copied. */
  raw(count: number): Buffer {
    if (this.#place + count > this.#bytes.length) throw damaged('they end early');
    this.#place += count;
    return this.#bytes.subarray(this.#place - count, this.#place);
  }

  /** Reads a count of items of at least `bytesEach` bytes: a damaged count must not allocate gigabytes. */
  count(bytesEach: number): number {
    const count = this.varint();
    if (count * bytesEach > this.#bytes.length - this.#place) throw damaged('they end early');
    return count;
  }

  /**
   * Of items of some bytes and a varint each, for as many as `into` has places: what the varints are below `from`. The bytes
   * are passed over. A call for each item takes three times as long.
   */
  distances(into: Int32Array, { from, bytesEach }: { readonly from: number; readonly bytesEach: number }): void {
    const bytes = this.#bytes;
    for (let i = 0; i < into.length; i += 1) {
      this.skip(bytesEach);
      const byte = bytes[this.#place];
      if (byte === undefined || byte >= 0x80) {
        into[i] = from - this.varint();
        continue;
      }
      this.#place += 1;
      into[i] = from - byte;
    }
  }

  skip(count: number): void {
    if (this.#place + count > this.#bytes.length) throw damaged('they end early');
    this.#place += count;
  }

  /** Number of bytes that are not read yet. */
  get left(): number {
    return this.#bytes.length - this.#place;
  }

  /** A reader of the same bytes from here on. */
  fork(): ByteReader {
    return new ByteReader(this.#bytes.subarray(this.#place));
  }

  /** Throws when bytes remain. */
  finish(): void {
    if (this.#place !== this.#bytes.length) throw damaged('something follows their end');
  }

  #next(): number {
    const byte = this.#bytes[this.#place];
    if (byte === undefined) throw damaged('they end early');
    this.#place += 1;
    return byte;
  }
}

/** The error for bytes that are no valid state. */
export function damaged(reason: string): AppError {
  return new AppError('contract_violation', `bytes of a feature state are damaged: ${reason}`);
}
