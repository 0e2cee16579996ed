import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { LIMITS } from '../domain/limits.js';
import { HttpRejection } from './http-rejection.js';

const DECODERS = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
} as const;

const IDENTITY = 'identity';
/** JSON never begins with these bytes. */
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);
const FORM_FIELD = 'data=';
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

/**
 * The JSON text of a body. A browser cannot set headers on a beacon, so its SDKs compress without `content-encoding`
 * (PostHog: `compression=gzip-js` in the query) or send base64 as the form field `data`; both are recognised by what the
 * body begins with.
 */
export async function decodeBody(body: Buffer, contentEncoding: string | undefined): Promise<Buffer> {
  const encoding = contentEncoding?.trim().toLowerCase() ?? '';
  const isPlain = encoding === IDENTITY || encoding === '';
  if (!isPlain) return fromForm(await decompress(body, encoding));
  return fromForm(body.subarray(0, 2).equals(GZIP_MAGIC) ? await decompress(body, 'gzip') : body);
}

/** zlib stops at the bound, so a gzip bomb costs 500 KB of memory and then 413. */
async function decompress(body: Buffer, encoding: string): Promise<Buffer> {
  if (!Object.hasOwn(DECODERS, encoding)) {
    throw new HttpRejection(
      415,
      'unsupported_encoding',
      `content-encoding must be gzip, deflate or br, not ${encoding.slice(0, 40)}`,
    );
  }
  try {
    return await DECODERS[encoding as keyof typeof DECODERS](body, { maxOutputLength: LIMITS.batchBytesMax });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw createTooLarge();
    throw new HttpRejection(400, 'invalid_encoding', `the body is not valid ${encoding}`);
  }
}

/** The content of the form field `data`, in base64 or as plain JSON; any other body is unchanged. */
function fromForm(body: Buffer): Buffer {
  if (body.subarray(0, FORM_FIELD.length).toString('latin1') !== FORM_FIELD) return body;
  const text = new URLSearchParams(body.toString()).get('data') ?? '';
  // In a form that was not percent-encoded, the `+` of base64 has become a space.
  const base64 = text.replaceAll(' ', '+');
  return BASE64.test(base64) ? Buffer.from(base64, 'base64') : Buffer.from(text);
}

/** The 413 error of a body: one text for all checks that find it too large. */
export function createTooLarge(): HttpRejection {
  return new HttpRejection(413, 'body_too_large', `the body has more than ${LIMITS.batchBytesMax} bytes`);
}
