import { AppError } from '@perennial/kernel';

/** One for all writers, since only one writes at a time: a fresh one a state was a quarter of the time of encoding it. */
let scratch = Buffer.allocUnsafeSlow(4096);

/** Writes numbers as varints into one growing buffer. From its creation to its `finish` no other may be created. */
export class ByteWriter {
  #bytes = scratch;
  #length = 0;

  /** A whole number >= 0, of any size a double holds exactly: 7 bits a byte, least first. */
  varint(value: number): void {
    if (this.#length + 10 > this.#bytes.length) this.#grow(10);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** A whole number of either sign: the sign takes one bit of the first byte, so no doubling loses the 53rd bit. */
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

  /** A copy of what was written. */
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

/** Reads what `ByteWriter` wrote; throws `contract_violation` where the bytes end early or make no number. */
export class ByteReader {
  readonly #bytes: Buffer;
  #place = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
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

  /** A count of things that take at least `bytesEach`: a damaged one must not make us allocate gigabytes. */
  count(bytesEach: number): number {
    const count = this.varint();
    if (count * bytesEach > this.#bytes.length - this.#place) throw damaged('they end early');
    return count;
  }

  /** Nothing may follow. */
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

/** The error for bytes that are not a state. */
export function damaged(reason: string): AppError {
  return new AppError('contract_violation', `bytes of a feature state are damaged: ${reason}`);
}
