import { createRequire } from 'node:module';
import { CODEC_NUMBERS, type CodecName, pack } from './pack.js';

const require = createRequire(import.meta.url);
const crc32c = require('kafkajs/src/protocol/recordBatch/crc32C') as (bytes: Buffer) => number;

export interface OddRecord {
  readonly key?: Buffer | null;
  readonly value?: Buffer | null;
  /** As a list: names may repeat, values may be missing. */
  readonly headers?: ReadonlyArray<readonly [string, Buffer | null]>;
  /** Default: the index in the batch. */
  readonly offsetDelta?: number;
  readonly timestampDelta?: number;
  /** Bytes of the record after its length instead of all the above. */
  readonly body?: Buffer;
}

/** A batch of format 2 with anything that a writer may put into it, and things that it may not. */
export interface OddBatch {
  readonly records: readonly OddRecord[];
  readonly codec?: CodecName;
  /** Instead of packing with the codec's own packer. */
  readonly pack?: (bytes: Buffer) => Buffer;
  readonly baseOffset?: number;
  /** Default: the highest offset delta. */
  readonly lastOffsetDelta?: number;
  readonly timestampMs?: number;
  readonly isAppendTime?: boolean;
  readonly isTransactional?: boolean;
  readonly isControl?: boolean;
  readonly producerId?: bigint;
  readonly producerEpoch?: number;
  readonly firstSequence?: number;
  /** Default: the number of records. */
  readonly recordCount?: number;
  /** Default 2. */
  readonly format?: number;
  /** Further attribute bits. */
  readonly attributes?: number;
}

const HEAD_BYTES = 61;

/** Encodes a batch, with the right checksum; a broker takes it if it is valid. */
export function encodeOddBatch(batch: OddBatch): Buffer {
  const { records, codec = 'none', timestampMs = Date.now() } = batch;
  const plain = Buffer.concat(records.map((record, index) => encodeOddRecord({ offsetDelta: index, ...record })));
  const body = (batch.pack ?? ((bytes: Buffer) => pack(codec, bytes)))(plain);
  const head = Buffer.alloc(HEAD_BYTES);
  const lastDelta = Math.max(0, ...records.map(({ offsetDelta }, index) => offsetDelta ?? index));
  head.writeBigInt64BE(BigInt(batch.baseOffset ?? 0), 0);
  head.writeInt32BE(HEAD_BYTES - 12 + body.length, 8);
  head.writeInt8(batch.format ?? 2, 16);
  head.writeInt16BE(toAttributes(batch), 21);
  head.writeInt32BE(batch.lastOffsetDelta ?? lastDelta, 23);
  head.writeBigInt64BE(BigInt(timestampMs), 27);
  head.writeBigInt64BE(
    BigInt(timestampMs + Math.max(0, ...records.map(({ timestampDelta = 0 }) => timestampDelta))),
    35,
  );
  head.writeBigInt64BE(batch.producerId ?? -1n, 43);
  head.writeInt16BE(batch.producerEpoch ?? -1, 51);
  head.writeInt32BE(batch.firstSequence ?? -1, 53);
  head.writeInt32BE(batch.recordCount ?? records.length, 57);
  const whole = Buffer.concat([head, body]);
  whole.writeUInt32BE(crc32c(whole.subarray(21)) >>> 0, 17);
  return whole;
}

/** A control batch that ends a transaction, as the broker writes it: of one record. */
export function encodeControlBatch(options: {
  readonly baseOffset: number;
  readonly producerId: bigint;
  readonly end: 'commit' | 'abort';
}): Buffer {
  const key = Buffer.from([0, 0, 0, options.end === 'commit' ? 1 : 0]);
  const { baseOffset, producerId } = options;
  return encodeOddBatch({
    ...{ baseOffset, producerId, isTransactional: true, isControl: true },
    records: [{ key, value: Buffer.alloc(6) }],
  });
}

function toAttributes(batch: OddBatch): number {
  const { codec = 'none', isAppendTime, isTransactional, isControl, attributes = 0 } = batch;
  const flags = (isAppendTime ? 0x8 : 0) | (isTransactional ? 0x10 : 0) | (isControl ? 0x20 : 0);
  return CODEC_NUMBERS[codec] | flags | attributes;
}

function encodeOddRecord(record: OddRecord): Buffer {
  const { key = null, value = null, headers = [], offsetDelta = 0, timestampDelta = 0 } = record;
  const body =
    record.body ??
    Buffer.concat([
      Buffer.from([0]),
      toVarint(timestampDelta),
      toVarint(offsetDelta),
      ...toBytes(key),
      ...toBytes(value),
      toVarint(headers.length),
      ...headers.flatMap(([name, text]) => [...toBytes(Buffer.from(name)), ...toBytes(text)]),
    ]);
  return Buffer.concat([toVarint(body.length), body]);
}

function toBytes(bytes: Buffer | null): Buffer[] {
  return bytes === null ? [toVarint(-1)] : [toVarint(bytes.length), bytes];
}

/** Zigzag of any safe integer. */
export function toVarint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value < 0 ? -2 * value - 1 : 2 * value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}
