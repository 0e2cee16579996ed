import { toTextBytes } from '@perennial/kernel';
import { crc32c } from './crc32c.js';
import type { OutgoingRecord } from './log.js';

/** A record as it is encoded in a batch. */
export type BatchRecord = Pick<OutgoingRecord, 'key' | 'value' | 'headers'>;

export interface BatchHead {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly firstSequence: number;
  readonly timestampMs: number;
}

/** Bytes of the batch before its records. */
const HEAD_BYTES = 61;
/** First offset and length: the fields that the length does not count. */
const LENGTH_FROM = 12;
const CRC_AT = 17;
const CRC_FROM = 21;
const MAGIC = 2;

/**
 * One record batch of Kafka's format 2 (https://kafka.apache.org/documentation/#recordbatch), uncompressed, all records
 * with the same timestamp. Sizes are computed first, then one buffer is filled: no copy and no allocation per record.
 */
export function encodeRecordBatch(records: readonly BatchRecord[], head: BatchHead): Buffer {
  const bodyBytes = new Array<number>(records.length);
  let bytes = HEAD_BYTES;
  for (let index = 0; index < records.length; index++) {
    const size = sizeOfBody(records[index] as BatchRecord, index);
    bodyBytes[index] = size;
    bytes += sizeOfVarint(size) + size;
  }
  const batch = Buffer.allocUnsafe(bytes);
  writeHead(batch, records.length, head);
  let at = HEAD_BYTES;
  for (let index = 0; index < records.length; index++) {
    at = writeVarint(batch, at, bodyBytes[index] as number);
    at = writeBody(batch, at, records[index] as BatchRecord, index);
  }
  batch.writeUInt32BE(crc32c(batch.subarray(CRC_FROM)), CRC_AT);
  return batch;
}

function writeHead(
  batch: Buffer,
  count: number,
  { producerId, producerEpoch, firstSequence, timestampMs }: BatchHead,
): void {
  batch.writeBigInt64BE(0n, 0);
  batch.writeInt32BE(batch.length - LENGTH_FROM, 8);
  batch.writeInt32BE(0, 12);
  batch.writeInt8(MAGIC, 16);
  batch.writeInt16BE(0, 21);
  batch.writeInt32BE(count - 1, 23);
  batch.writeBigInt64BE(BigInt(timestampMs), 27);
  batch.writeBigInt64BE(BigInt(timestampMs), 35);
  batch.writeBigInt64BE(producerId, 43);
  batch.writeInt16BE(producerEpoch, 51);
  batch.writeInt32BE(firstSequence, 53);
  batch.writeInt32BE(count, 57);
}

function sizeOfBody({ key, value, headers }: BatchRecord, index: number): number {
  // Attributes and the timestamp delta of 0 take one byte each.
  let bytes = 2 + sizeOfVarint(index) + sizeOfBytes(key) + sizeOfBytes(value);
  let count = 0;
  for (const name in headers) {
    bytes += sizeOfText(name) + sizeOfText(headers[name] as string);
    count++;
  }
  return bytes + sizeOfVarint(count);
}

function writeBody(batch: Buffer, start: number, { key, value, headers }: BatchRecord, index: number): number {
  let at = start;
  batch[at++] = 0;
  batch[at++] = 0;
  at = writeVarint(batch, at, index);
  at = writeBytes(batch, at, key);
  at = writeBytes(batch, at, value);
  let count = 0;
  for (const _name in headers) count++;
  at = writeVarint(batch, at, count);
  for (const name in headers) {
    at = writeText(batch, at, name);
    at = writeText(batch, at, headers[name] as string);
  }
  return at;
}

function sizeOfBytes(bytes: Buffer | null): number {
  return bytes === null ? 1 : sizeOfVarint(bytes.length) + bytes.length;
}

function sizeOfText(text: string): number {
  const bytes = toTextBytes(text);
  return sizeOfVarint(bytes) + bytes;
}

/** Encoded bytes of a zigzag variable-length integer from 0 to below 2^30. */
function sizeOfVarint(value: number): number {
  if (value < 0x40) return 1;
  if (value < 0x2000) return 2;
  if (value < 0x10_0000) return 3;
  return value < 0x800_0000 ? 4 : 5;
}

function writeVarint(batch: Buffer, start: number, value: number): number {
  let at = start;
  let rest = value << 1;
  while (rest > 0x7f) {
    batch[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  batch[at++] = rest;
  return at;
}

function writeBytes(batch: Buffer, start: number, bytes: Buffer | null): number {
  if (bytes === null) {
    batch[start] = 1;
    return start + 1;
  }
  const at = writeVarint(batch, start, bytes.length);
  batch.set(bytes, at);
  return at + bytes.length;
}

function writeText(batch: Buffer, start: number, text: string): number {
  const bytes = toTextBytes(text);
  const at = writeVarint(batch, start, bytes);
  if (bytes === text.length && bytes < 64) {
    // For short ASCII text a loop is faster than a call into native code.
    for (let index = 0; index < bytes; index++) batch[at + index] = text.charCodeAt(index);
  } else {
    batch.write(text, at, 'utf8');
  }
  return at + bytes;
}
