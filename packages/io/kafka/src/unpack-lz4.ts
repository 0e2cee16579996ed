import { DamagedBytes } from './byte-reader.js';
import { UnpackedTooLarge } from './unpack-error.js';

const FRAME_MAGIC = 0x184d2204;
/** Frames of user data, to be skipped: 16 magic numbers from here on. */
const SKIPPABLE_MAGIC = 0x184d2a50;
const FLAG_BLOCK_CHECKSUM = 0x10;
const FLAG_CONTENT_SIZE = 0x08;
const FLAG_CONTENT_CHECKSUM = 0x04;
const FLAG_DICTIONARY = 0x01;
/** Sizes of blocks by their code of the frame's header; the first four codes mean nothing. */
const BLOCK_BYTES_MAX = [0, 0, 0, 0, 1 << 16, 1 << 18, 1 << 20, 1 << 22];
const MATCH_BYTES_MIN = 4;
/** Lengths that do not fit into the four bits of a token go on in bytes of 255. */
const TOKEN_LENGTH_MAX = 15;

interface Frame {
  readonly blockBytesMax: number;
  readonly hasBlockChecksum: boolean;
  readonly hasContentChecksum: boolean;
  readonly next: number;
}

/** The unpacked bytes, in a buffer that grows up to the limit. */
class Output {
  bytes: Buffer;
  length = 0;
  readonly #bytesMax: number;

  constructor(firstBytes: number, bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.bytes = Buffer.allocUnsafe(Math.min(firstBytes, bytesMax));
  }

  /** Throws UnpackedTooLarge when `more` bytes would be too many. */
  reserve(more: number): void {
    const needed = this.length + more;
    if (needed > this.#bytesMax) throw new UnpackedTooLarge(undefined, this.#bytesMax);
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.min(this.#bytesMax, Math.max(needed, this.bytes.length * 2)));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }
}

/**
 * LZ4 frames (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md). Checksums are skipped: the broker has checked
 * the batch. Throws UnpackedTooLarge above `bytesMax`, DamagedBytes for anything else.
 */
export function unpackLz4(packed: Buffer, bytesMax: number): Buffer {
  const out = new Output(packed.length * 4, bytesMax);
  let at = 0;
  while (at < packed.length) {
    const magic = readSize(packed, at);
    if (magic >= SKIPPABLE_MAGIC && magic < SKIPPABLE_MAGIC + 16) at += 8 + readSize(packed, at + 4);
    else if (magic === FRAME_MAGIC) at = unpackFrame(packed, readFrame(packed, at), out);
    else throw new DamagedBytes(`no LZ4 frame, but 0x${magic.toString(16)} at byte ${at}`);
  }
  return out.bytes.subarray(0, out.length);
}

function readFrame(packed: Buffer, at: number): Frame {
  const flags = readByte(packed, at + 4);
  const blockBytesMax = BLOCK_BYTES_MAX[(readByte(packed, at + 5) >> 4) & 7] as number;
  if (flags >> 6 !== 1 || blockBytesMax === 0 || (flags & FLAG_DICTIONARY) !== 0) {
    throw new DamagedBytes(`an LZ4 frame with the flags ${flags} is unknown`);
  }
  const sizeBytes = (flags & FLAG_CONTENT_SIZE) === 0 ? 0 : 8;
  return {
    blockBytesMax,
    hasBlockChecksum: (flags & FLAG_BLOCK_CHECKSUM) !== 0,
    hasContentChecksum: (flags & FLAG_CONTENT_CHECKSUM) !== 0,
    // The last byte is a checksum of the header.
    next: at + 6 + sizeBytes + 1,
  };
}

/** Returns where the frame ends. */
function unpackFrame(packed: Buffer, frame: Frame, out: Output): number {
  let at = frame.next;
  const frameFrom = out.length;
  for (;;) {
    const size = readSize(packed, at);
    at += 4;
    if (size === 0) return at + (frame.hasContentChecksum ? 4 : 0);
    const isPlain = size >= 0x8000_0000;
    const end = at + (size & 0x7fff_ffff);
    if (end > packed.length) throw new DamagedBytes(`an LZ4 block ends at byte ${end} of ${packed.length}`);
    if (isPlain) copyPlain(packed.subarray(at, end), out);
    else unpackBlock(packed.subarray(at, end), { out, frameFrom, blockBytesMax: frame.blockBytesMax });
    at = end + (frame.hasBlockChecksum ? 4 : 0);
  }
}

function copyPlain(block: Buffer, out: Output): void {
  out.reserve(block.length);
  block.copy(out.bytes, out.length);
  out.length += block.length;
}

interface Target {
  readonly out: Output;
  /** Matches reach back to here: blocks of a frame may refer to earlier ones. */
  readonly frameFrom: number;
  readonly blockBytesMax: number;
}

function unpackBlock(block: Buffer, { out, frameFrom, blockBytesMax }: Target): void {
  const blockFrom = out.length;
  for (let at = 0; at < block.length; ) {
    const token = block[at++] as number;
    const literal = readLength(block, at, token >> 4);
    at = literal.next;
    if (at + literal.length > block.length) throw new DamagedBytes('an LZ4 literal is cut off');
    copyPlain(block.subarray(at, at + literal.length), out);
    at += literal.length;
    // The last sequence is a literal alone.
    if (at === block.length) break;
    if (at + 2 > block.length) throw new DamagedBytes('an LZ4 match has no offset');
    const back = block.readUInt16LE(at);
    const match = readLength(block, at + 2, token & 0xf);
    at = match.next;
    if (back === 0 || back > out.length - frameFrom) throw new DamagedBytes(`an LZ4 match reaches ${back} bytes back`);
    copyMatch(out, back, match.length + MATCH_BYTES_MIN);
    if (out.length - blockFrom > blockBytesMax) throw new DamagedBytes(`an LZ4 block has over ${blockBytesMax} bytes`);
  }
}

/** Byte by byte where a match repeats what it writes itself. */
function copyMatch(out: Output, back: number, length: number): void {
  out.reserve(length);
  const { bytes } = out;
  const from = out.length - back;
  if (back >= length) bytes.copy(bytes, out.length, from, from + length);
  else for (let index = 0; index < length; index++) bytes[out.length + index] = bytes[from + index] as number;
  out.length += length;
}

function readLength(block: Buffer, from: number, first: number): { length: number; next: number } {
  let length = first;
  let next = from;
  if (first < TOKEN_LENGTH_MAX) return { length, next };
  for (;;) {
    const byte = readByte(block, next++);
    length += byte;
    if (byte < 255) return { length, next };
  }
}

function readByte(bytes: Buffer, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new DamagedBytes(`LZ4 ends at byte ${at}`);
  return byte;
}

function readSize(packed: Buffer, at: number): number {
  if (at + 4 > packed.length) throw new DamagedBytes(`LZ4 ends at byte ${packed.length}`);
  return packed.readUInt32LE(at);
}
