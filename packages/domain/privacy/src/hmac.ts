import { hash } from 'node:crypto';

/** Block and digest size of SHA-256, in bytes. */
const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
/** Longest message that fits the preallocated buffer. */
const MESSAGE_BYTES_KEPT = 4096;

/**
 * HMAC-SHA256 under one key of at most 64 bytes, by the formula of RFC 2104: H(key ^ opad, H(key ^ ipad, message)). Not
 * `createHmac`: it creates an object outside the JavaScript heap for every call, and millions of those cost the garbage
 * collector several times as much as the hashing.
 */
export function createHmacSha256(key: Uint8Array): (message: string) => Buffer {
  if (key.length > BLOCK_BYTES) throw new RangeError(`a key of ${key.length} bytes is over ${BLOCK_BYTES}`);
  const inner = Buffer.alloc(BLOCK_BYTES + MESSAGE_BYTES_KEPT);
  const outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES);
  for (let at = 0; at < BLOCK_BYTES; at++) {
    inner[at] = (key[at] ?? 0) ^ 0x36;
    outer[at] = (key[at] ?? 0) ^ 0x5c;
  }
  return (message) => {
    hash('sha256', fill(inner, message), 'buffer').copy(outer, BLOCK_BYTES);
    return hash('sha256', outer, 'buffer');
  };
}

function fill(inner: Buffer, message: string): Buffer {
  // A UTF-16 code unit takes three bytes at most.
  if (message.length * 3 > MESSAGE_BYTES_KEPT)
    return Buffer.concat([inner.subarray(0, BLOCK_BYTES), Buffer.from(message)]);
  return inner.subarray(0, BLOCK_BYTES + inner.write(message, BLOCK_BYTES));
}
