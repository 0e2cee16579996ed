import { AppError } from '@perennial/kernel';

/*
 * Bytes of outboxes and snapshots: numbers are 32-bit little endian, doubles 64-bit little endian, strings and bytes are
 * length-prefixed, length 0xffffffff stands for null.
 */

const NULL_LENGTH = 0xffffffff;

/** Writes into a buffer of a given size, which the caller computes beforehand. */
export class ByteWriter {
  readonly buffer: Buffer;
  #at = 0;

  constructor(size: number) {
    this.buffer = Buffer.allocUnsafe(size);
  }

  byte(value: number): void {
    this.#at = this.buffer.writeUInt8(value, this.#at);
  }

  number(value: number): void {
    this.#at = this.#numberAt(this.#at, value);
  }

  double(value: number): void {
    this.#at = this.buffer.writeDoubleLE(value, this.#at);
  }

  string(value: string): void {
    const from = this.#at + 4;
    const length = writeShortAscii(this.buffer, from, value) ? value.length : this.buffer.write(value, from);
    this.#numberAt(this.#at, length);
    this.#at = from + length;
  }

  bytes(value: Buffer | null): void {
    this.number(value === null ? NULL_LENGTH : value.length);
    if (value === null) return;
    this.buffer.set(value, this.#at);
    this.#at += value.length;
  }

  /** As writeUInt32LE, without its checks: every number here is a length, a count or a partition. */
  #numberAt(at: number, value: number): number {
    const { buffer } = this;
    buffer[at] = value;
    buffer[at + 1] = value >>> 8;
    buffer[at + 2] = value >>> 16;
    buffer[at + 3] = value >>> 24;
    return at + 4;
  }
}

/** Longest text for which a loop is faster than a call into native code. */
const SHORT_CHARS_MAX = 64;

/** False for text that is long or has other characters: what it wrote of it is to be written over. */
function writeShortAscii(buffer: Buffer, from: number, text: string): boolean {
  const { length } = text;
  if (length > SHORT_CHARS_MAX) return false;
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) return false;
    buffer[from + index] = code;
  }
  return true;
}

/** Reads what ByteWriter wrote; throws `contract_violation` that names `what` for truncated bytes. */
export class ByteReader {
  readonly #buffer: Buffer;
  readonly #what: string;
  #at = 0;

  constructor(buffer: Buffer, what: string) {
    this.#buffer = buffer;
    this.#what = what;
  }

  get done(): boolean {
    return this.#at >= this.#buffer.length;
  }

  byte(): number {
    return this.#take(1).readUInt8();
  }

  number(): number {
    return this.#take(4).readUInt32LE();
  }

  double(): number {
    return this.#take(8).readDoubleLE();
  }

  string(): string {
    return this.#take(this.number()).toString();
  }

  bytes(): Buffer | null {
    const length = this.number();
    return length === NULL_LENGTH ? null : this.#take(length);
  }

  #take(length: number): Buffer {
    const taken = this.#buffer.subarray(this.#at, this.#at + length);
    if (taken.length !== length) throw new AppError('contract_violation', `${this.#what} is cut short`);
    this.#at += length;
    return taken;
  }
}
