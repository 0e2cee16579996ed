import { gzipSync } from 'node:zlib';

/** Codecs of Kafka with the number that a batch's attributes give. */
export const CODEC_NUMBERS = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;

export type CodecName = keyof typeof CODEC_NUMBERS;

export const CODEC_NAMES = Object.keys(CODEC_NUMBERS) as readonly CodecName[];

/** Runs of one byte from here on are written as a repetition: so a bomb is small. */
const RUN_BYTES_MIN = 64;
/** Bytes at the end of an LZ4 block that must be literals. */
const LZ4_TAIL_BYTES = 12;
const LZ4_BLOCK_BYTES = 4 * 1_048_576;
const ZSTD_BLOCK_BYTES = 128 * 1_024;

/** Some bytes as they are, then their last one `repeat` more times. */
interface Run {
  readonly literal: Buffer;
  readonly repeat: number;
}

/** Packs as a client does, though less tightly: only runs of one byte get shorter. Decoders and brokers take it. */
export function pack(codec: CodecName, bytes: Buffer): Buffer {
  switch (codec) {
    case 'none':
      return bytes;
    case 'gzip':
      return gzipSync(bytes);
    case 'snappy':
      return packSnappy(bytes);
    case 'lz4':
      return packLz4(bytes);
    case 'zstd':
      return packZstd(bytes);
    default:
      return codec satisfies never;
  }
}

function toRuns(bytes: Buffer): Run[] {
  const runs: Run[] = [];
  let from = 0;
  for (let at = 0; at < bytes.length; ) {
    let end = at + 1;
    while (end < bytes.length && bytes[end] === bytes[at]) end++;
    if (end - at >= RUN_BYTES_MIN) {
      runs.push({ literal: bytes.subarray(from, at + 1), repeat: end - at - 1 });
      from = end;
    }
    at = end;
  }
  if (from < bytes.length) runs.push({ literal: bytes.subarray(from), repeat: 0 });
  return runs;
}

/** One raw block, as librdkafka writes it. */
function packSnappy(bytes: Buffer): Buffer {
  const parts: Buffer[] = [toUnsigned(bytes.length)];
  for (const { literal, repeat } of toRuns(bytes)) {
    const length = Buffer.alloc(5);
    length[0] = 63 << 2;
    length.writeUInt32LE(literal.length - 1, 1);
    parts.push(length, literal);
    for (let left = repeat; left > 0; left -= 64) {
      parts.push(Buffer.from([((Math.min(64, left) - 1) << 2) | 2, 1, 0]));
    }
  }
  return Buffer.concat(parts);
}

/** The same in the frames of snappy-java, which Java clients write. */
export function packSnappyFramed(bytes: Buffer, blockBytes = 32 * 1_024): Buffer {
  const parts: Buffer[] = [Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])];
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const block = packSnappy(bytes.subarray(at, at + blockBytes));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(block.length);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}

function packLz4(bytes: Buffer): Buffer {
  // Version 1, independent blocks of 4 MiB.
  const flags = Buffer.from([0x60, 0x70]);
  const parts: Buffer[] = [Buffer.from([0x04, 0x22, 0x4d, 0x18]), flags, Buffer.from([(xxh32(flags) >>> 8) & 0xff])];
  for (let at = 0; at < bytes.length; at += LZ4_BLOCK_BYTES) {
    const block = packLz4Block(bytes.subarray(at, at + LZ4_BLOCK_BYTES));
    const size = Buffer.alloc(4);
    size.writeUInt32LE(block.length);
    parts.push(size, block);
  }
  parts.push(Buffer.alloc(4));
  return Buffer.concat(parts);
}

function packLz4Block(bytes: Buffer): Buffer {
  const tailFrom = Math.max(0, bytes.length - LZ4_TAIL_BYTES);
  const parts: Buffer[] = [];
  let rest: Buffer = Buffer.alloc(0);
  for (const { literal, repeat } of toRuns(bytes.subarray(0, tailFrom))) {
    if (repeat === 0) rest = literal;
    else
      parts.push(
        toLz4Token(literal.length, repeat - 4),
        ...toLz4Rest(literal.length),
        literal,
        Buffer.from([1, 0]),
        ...toLz4Rest(repeat - 4),
      );
  }
  const last = Buffer.concat([rest, bytes.subarray(tailFrom)]);
  return Buffer.concat([...parts, toLz4Token(last.length, 0), ...toLz4Rest(last.length), last]);
}

function toLz4Token(literal: number, match: number): Buffer {
  return Buffer.from([(Math.min(15, literal) << 4) | Math.min(15, match)]);
}

function toLz4Rest(length: number): Buffer[] {
  if (length < 15) return [];
  const full = Math.floor((length - 15) / 255);
  return [Buffer.alloc(full, 255), Buffer.from([(length - 15) % 255])];
}

/** xxHash32 of fewer than 4 bytes with seed 0: the checksum of an LZ4 header. */
function xxh32(bytes: Buffer): number {
  let hash = (374761393 + bytes.length) >>> 0;
  for (const byte of bytes) {
    hash = (hash + Math.imul(byte, 374761393)) >>> 0;
    hash = Math.imul((hash << 11) | (hash >>> 21), 2654435761) >>> 0;
  }
  hash = Math.imul(hash ^ (hash >>> 15), 2246822519) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 13), 3266489917) >>> 0;
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** One frame without a size, as Java clients stream it, of plain and repeating blocks. */
function packZstd(bytes: Buffer): Buffer {
  const parts: Buffer[] = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x58])];
  for (const { literal, repeat } of toRuns(bytes)) {
    for (let at = 0; at < literal.length; at += ZSTD_BLOCK_BYTES) {
      const block = literal.subarray(at, at + ZSTD_BLOCK_BYTES);
      parts.push(toZstdHead(0, block.length), block);
    }
    for (let left = repeat; left > 0; left -= ZSTD_BLOCK_BYTES) {
      parts.push(toZstdHead(1, Math.min(left, ZSTD_BLOCK_BYTES)), literal.subarray(-1));
    }
  }
  return Buffer.concat([...parts, Buffer.from([1, 0, 0])]);
}

function toZstdHead(type: number, size: number): Buffer {
  const head = (size << 3) | (type << 1);
  return Buffer.from([head & 0xff, (head >> 8) & 0xff, head >> 16]);
}

function toUnsigned(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}
