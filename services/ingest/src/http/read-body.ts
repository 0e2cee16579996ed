import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { LIMITS } from '../domain/limits.js';
import { HttpRefusal } from './refusal.js';

const DECODERS = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
} as const;

/** The body as sent, decompressed. zlib stops at the bound, so a gzip bomb costs 500 KB of memory and then 413. */
export async function decodeBody(body: Buffer, contentEncoding: string | undefined): Promise<Buffer> {
  const encoding = contentEncoding?.trim().toLowerCase() ?? 'identity';
  if (encoding === 'identity' || encoding === '') return body;
  if (!Object.hasOwn(DECODERS, encoding)) {
    throw new HttpRefusal(
      415,
      'unsupported_encoding',
      `content-encoding must be gzip, deflate or br, not ${encoding.slice(0, 40)}`,
    );
  }
  try {
    return await DECODERS[encoding as keyof typeof DECODERS](body, { maxOutputLength: LIMITS.batchBytesMax });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw createTooLarge();
    throw new HttpRefusal(400, 'invalid_encoding', `the body is not valid ${encoding}`);
  }
}

/** The 413 error of a body: one text for all checks that find it too large. */
export function createTooLarge(): HttpRefusal {
  return new HttpRefusal(413, 'body_too_large', `the body has more than ${LIMITS.batchBytesMax} bytes`);
}
