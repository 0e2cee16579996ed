import { ByteReader } from './byte-reader.js';

/** What stands before the records of a batch (https://kafka.apache.org/documentation/#recordbatch). */
export interface BatchHead {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly codec: number;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly baseTimestampMs: number;
  /** Undefined where the topic keeps the producers' times. */
  readonly appendedAtMs: number | undefined;
  readonly producerId: string;
  /** CRC-32C of what follows in the batch. */
  readonly checksum: number;
  readonly recordCount: number;
  /** First byte of the records in the set. */
  readonly recordsFrom: number;
}

/** A batch's offsets and bytes in a set: the same in every format of Kafka. */
export interface BatchFrame {
  readonly baseOffset: number;
  readonly from: number;
  readonly end: number;
}

/** First offset and length: the fields that the length does not count. */
const FRAME_BYTES = 12;
const FORMAT = 2;
const FORMAT_AT = 16;
const HEAD_BYTES = 61;
const CODEC_MASK = 0x7;
const APPEND_TIME = 0x8;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;

/** The batch that begins at `at`; undefined at the end of the set, where the broker may have cut a batch off. */
export function readFrame(set: Buffer, at: number): BatchFrame | undefined {
  if (set.length - at <= FORMAT_AT) return undefined;
  const length = set.readInt32BE(at + 8);
  const end = at + FRAME_BYTES + length;
  if (length <= FORMAT_AT - FRAME_BYTES || end > set.length) return undefined;
  return { baseOffset: Number(set.readBigInt64BE(at)), from: at, end };
}

/** Undefined for a batch of the formats before Kafka 0.11, which the broker converts when they are written. */
export function readHead(set: Buffer, { from, end, baseOffset }: BatchFrame): BatchHead | undefined {
  if (set[from + FORMAT_AT] !== FORMAT || end - from < HEAD_BYTES) return undefined;
  const reader = new ByteReader(set, from + FORMAT_AT + 1, end);
  // The broker has verified it.
  const checksum = reader.int32();
  const attributes = reader.int16();
  const lastOffsetDelta = reader.int32();
  const baseTimestampMs = reader.int64();
  const maxTimestampMs = reader.int64();
  const producerId = reader.int64Text();
  // The producer's epoch and sequence number.
  reader.skip(6);
  return {
    baseOffset,
    lastOffset: baseOffset + Math.max(0, lastOffsetDelta),
    codec: attributes & CODEC_MASK,
    isTransactional: (attributes & TRANSACTIONAL) !== 0,
    isControl: (attributes & CONTROL) !== 0,
    baseTimestampMs,
    appendedAtMs: (attributes & APPEND_TIME) === 0 ? undefined : maxTimestampMs,
    producerId,
    checksum,
    recordCount: reader.int32(),
    recordsFrom: reader.at,
  };
}
