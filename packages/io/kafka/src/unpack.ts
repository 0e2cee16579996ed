import { promisify } from 'node:util';
import { unzip } from 'node:zlib';
import { toMessage } from '@perennial/kernel';
import { ZSTDDecoder } from 'zstddec';
import { DamagedBytes } from './byte-reader.js';
import { UnpackedTooLarge } from './unpack-error.js';
import { unpackLz4 } from './unpack-lz4.js';
import { unpackSnappy } from './unpack-snappy.js';

type Unpack = (packed: Buffer, bytesMax: number) => Buffer | Promise<Buffer>;

/** Codecs by the number that a batch's attributes give (https://kafka.apache.org/documentation/#recordbatch). */
const CODECS: readonly { readonly name: string; readonly unpack: Unpack }[] = [
  { name: 'none', unpack: (packed) => packed },
  { name: 'gzip', unpack: unpackGzip },
  { name: 'snappy', unpack: unpackSnappy },
  { name: 'lz4', unpack: unpackLz4 },
  { name: 'zstd', unpack: unpackZstd },
];

export const NO_CODEC = 0;

/** A codec's name for messages. */
export function toCodecName(codec: number): string {
  return CODECS[codec]?.name ?? `codec ${codec}`;
}

/**
 * The records of a batch without their compression. No more than about `bytesMax` bytes are ever allocated, whatever
 * the packed bytes claim. Throws UnpackedTooLarge above that, DamagedBytes for anything else.
 */
export async function unpack(codec: number, packed: Buffer, bytesMax: number): Promise<Buffer> {
  const known = CODECS[codec];
  if (known === undefined) throw new DamagedBytes(`codec ${codec} is none of ${CODECS.map(({ name }) => name)}`);
  return known.unpack(packed, bytesMax);
}

const unzipAsync = promisify(unzip);

async function unpackGzip(packed: Buffer, bytesMax: number): Promise<Buffer> {
  try {
    return await unzipAsync(packed, { maxOutputLength: bytesMax });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw new UnpackedTooLarge(undefined, bytesMax);
    throw new DamagedBytes(`gzip: ${toMessage(error)}`);
  }
}

/** The reference decoder, compiled to WebAssembly: its memory grows to packed + `bytesMax` bytes, and stays. */
async function unpackZstd(packed: Buffer, bytesMax: number): Promise<Buffer> {
  const declared = toZstdSize(packed);
  if (declared !== undefined && declared > bytesMax) throw new UnpackedTooLarge(declared, bytesMax);
  const decoder = new ZSTDDecoder();
  await decoder.init();
  // The decoder gives no bytes for an error, and a batch has at least one record. Several frames need the second call.
  for (const bytes of new Set([declared || bytesMax, bytesMax])) {
    const unpacked = decoder.decode(packed, bytes);
    if (unpacked.length > 0) return Buffer.from(unpacked.buffer, unpacked.byteOffset, unpacked.length);
  }
  throw new UnpackedTooLarge(undefined, bytesMax, 'or is damaged zstd');
}

const ZSTD_MAGIC = 0xfd2fb528;
const ZSTD_SINGLE_SEGMENT = 0x20;

/**
 * The size in the header of a zstd frame (RFC 8878, 3.1.1.1) that is the only one; undefined where it has none, as in
 * what Java clients stream.
 */
function toZstdSize(packed: Buffer): number | undefined {
  if (packed.length < 6 || packed.readUInt32LE(0) !== ZSTD_MAGIC) throw new DamagedBytes('zstd: no frame');
  const flags = packed[4] as number;
  const isSingle = (flags & ZSTD_SINGLE_SEGMENT) !== 0;
  const bytes = [isSingle ? 1 : 0, 2, 4, 8][flags >> 6] as number;
  const at = 5 + (isSingle ? 0 : 1) + ([0, 1, 2, 4][flags & 3] as number);
  if (bytes === 0) return undefined;
  if (at + bytes > packed.length) throw new DamagedBytes('zstd: the header is cut off');
  if (bytes === 8) return Number(packed.readBigUInt64LE(at));
  return packed.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0);
}
