import type { OutgoingRecord } from '@perennial/kafka';
import { AppError } from '@perennial/kernel';

/*
 * An outbox is the list of records that a commit owes to Kafka, kept with the commit and published after it.
 * Layout: version byte, then for each record: topic, partition, key, value, header count, headers; numbers are
 * 32-bit little endian, strings and bytes are length-prefixed, length 0xffffffff stands for null.
 */

const VERSION = 1;
const NULL_LENGTH = 0xffffffff;

/** Bytes of one record in an outbox, the same on every machine. */
export function toRecordBytes(record: OutgoingRecord): number {
  let bytes =
    4 + Buffer.byteLength(record.topic) + 4 + 4 + (record.key?.length ?? 0) + 4 + (record.value?.length ?? 0) + 4;
  for (const [name, value] of Object.entries(record.headers))
    bytes += 8 + Buffer.byteLength(name) + Buffer.byteLength(value);
  return bytes;
}

export function encodeOutbox(records: readonly OutgoingRecord[]): Buffer {
  const writer = new Writer(records.reduce((sum, record) => sum + toRecordBytes(record), 1));
  writer.byte(VERSION);
  for (const record of records) {
    writer.string(record.topic);
    writer.number(record.partition);
    writer.bytes(record.key);
    writer.bytes(record.value);
    const headers = Object.entries(record.headers);
    writer.number(headers.length);
    for (const [name, value] of headers) {
      writer.string(name);
      writer.string(value);
    }
  }
  return writer.buffer;
}

/** Throws `contract_violation` for bytes of another version. */
export function decodeOutbox(bytes: Buffer): OutgoingRecord[] {
  const reader = new Reader(bytes);
  const version = reader.byte();
  if (version !== VERSION) throw new AppError('contract_violation', `outbox of unknown version ${version}`);
  const records: OutgoingRecord[] = [];
  while (!reader.done) {
    const topic = reader.string();
    const partition = reader.number();
    const key = reader.bytes();
    const value = reader.bytes();
    const headers: Record<string, string> = {};
    for (let left = reader.number(); left > 0; left--) {
      const name = reader.string();
      headers[name] = reader.string();
    }
    records.push({ topic, partition, key, value, headers });
  }
  return records;
}

class Writer {
  readonly buffer: Buffer;
  #at = 0;

  constructor(size: number) {
    this.buffer = Buffer.allocUnsafe(size);
  }

  byte(value: number): void {
    this.#at = this.buffer.writeUInt8(value, this.#at);
  }

  number(value: number): void {
    this.#at = this.buffer.writeUInt32LE(value, this.#at);
  }

  string(value: string): void {
    const length = this.buffer.write(value, this.#at + 4);
    this.buffer.writeUInt32LE(length, this.#at);
    this.#at += 4 + length;
  }

  bytes(value: Buffer | null): void {
    this.number(value === null ? NULL_LENGTH : value.length);
    if (value !== null) this.#at += value.copy(this.buffer, this.#at);
  }
}

class Reader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  get done(): boolean {
    return this.#at >= this.#buffer.length;
  }

  byte(): number {
    return this.#buffer.readUInt8(this.#at++);
  }

  number(): number {
    const value = this.#buffer.readUInt32LE(this.#at);
    this.#at += 4;
    return value;
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
    if (taken.length !== length) throw new AppError('contract_violation', 'outbox is cut short');
    this.#at += length;
    return taken;
  }
}
