import { DamagedBytes } from './byte-reader.js';
import { UnpackedTooLarge } from './unpack-error.js';

/** Header of snappy-java's framing, which Java clients use: the magic, then version and compatible version. */
const FRAMED_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
const FRAMED_HEADER_BYTES = 16;
const LITERAL = 0;
/** Lengths of literals from here on are stored in 1 to 4 extra bytes. */
const LITERAL_INLINE_MAX = 60;

/**
 * Snappy as Kafka clients write it: one raw block, or snappy-java's frames of blocks
 * (https://github.com/google/snappy/blob/main/format_description.txt). Throws UnpackedTooLarge above `bytesMax`,
 * DamagedBytes for anything else.
 */
export function unpackSnappy(packed: Buffer, bytesMax: number): Buffer {
  if (!packed.subarray(0, FRAMED_MAGIC.length).equals(FRAMED_MAGIC)) return unpackBlock(packed, bytesMax);
  const blocks: Buffer[] = [];
  let left = bytesMax;
  for (let at = FRAMED_HEADER_BYTES; at < packed.length; ) {
    if (at + 4 > packed.length) throw new DamagedBytes('snappy ends within the length of a block');
    const end = at + 4 + packed.readUInt32BE(at);
    if (end > packed.length) throw new DamagedBytes('snappy ends within a block');
    const block = unpackBlock(packed.subarray(at + 4, end), left);
    blocks.push(block);
    left -= block.length;
    at = end;
  }
  return Buffer.concat(blocks);
}

function unpackBlock(packed: Buffer, bytesMax: number): Buffer {
  const { value: bytes, next } = readUnsigned(packed);
  if (bytes > bytesMax) throw new UnpackedTooLarge(bytes, bytesMax);
  const out = Buffer.allocUnsafe(bytes);
  let from = next;
  let at = 0;
  while (from < packed.length) {
    const tag = packed[from++] as number;
    if ((tag & 3) === LITERAL) {
      const literal = toLiteral(packed, from, tag >> 2);
      const end = literal.from + literal.length;
      if (end > packed.length || at + literal.length > bytes) throw new DamagedBytes('a snappy literal is cut off');
      packed.copy(out, at, literal.from, end);
      from = end;
      at += literal.length;
    } else {
      const copy = toCopy(packed, from, tag);
      if (copy.back === 0 || copy.back > at || at + copy.length > bytes) {
        throw new DamagedBytes(
          `a snappy copy of ${copy.length} bytes from ${copy.back} back at byte ${at} of ${bytes}`,
        );
      }
      // Byte by byte: a copy may repeat what it writes itself.
      for (let index = 0; index < copy.length; index++, at++) out[at] = out[at - copy.back] as number;
      from = copy.next;
    }
  }
  if (at !== bytes) throw new DamagedBytes(`snappy gave ${at} bytes instead of ${bytes}`);
  return out;
}

function toLiteral(packed: Buffer, from: number, code: number): { length: number; from: number } {
  if (code < LITERAL_INLINE_MAX) return { length: code + 1, from };
  const extra = code - LITERAL_INLINE_MAX + 1;
  if (from + extra > packed.length) throw new DamagedBytes('a snappy literal has no length');
  return { length: packed.readUIntLE(from, extra) + 1, from: from + extra };
}

function toCopy(packed: Buffer, from: number, tag: number): { length: number; back: number; next: number } {
  const extra = [0, 1, 2, 4][tag & 3] as number;
  if (from + extra > packed.length) throw new DamagedBytes('a snappy copy has no offset');
  const offset = packed.readUIntLE(from, extra);
  const next = from + extra;
  if (extra === 1) return { length: ((tag >> 2) & 7) + 4, back: ((tag >> 5) << 8) | offset, next };
  return { length: (tag >> 2) + 1, back: offset, next };
}

/** The unpacked size before a block: base 128, lowest first, 32 bits. */
function readUnsigned(packed: Buffer): { value: number; next: number } {
  let value = 0;
  for (let index = 0; index < 5; index++) {
    const byte = packed[index];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, next: index + 1 };
  }
  throw new DamagedBytes('a snappy block has no size');
}
