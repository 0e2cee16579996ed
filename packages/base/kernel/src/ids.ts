import { hash, randomBytes } from 'node:crypto';
import { toTextBytes } from './text-bytes.js';

/** A fresh random token of 128 bits, base64url. */
export function createRandomToken(): string {
  return randomBytes(16).toString('base64url');
}

/** A deterministic id: the first 128 bits of SHA-256 over the parts (length-prefixed, so no two lists collide), base64url. */
export function toDeterministicId(...parts: string[]): string {
  return hashParts(parts).subarray(0, 16).toString('base64url');
}

/** SHA-256 in hex. */
export function toSha256(data: string | Uint8Array): string {
  return hash('sha256', data, 'hex');
}

/** A uniform number in [0, 1) from the parts; the same parts give the same number on every machine. */
export function toUnitInterval(...parts: string[]): number {
  return hashParts(parts).readUIntBE(0, 6) / 2 ** 48;
}

function hashParts(parts: readonly string[]): Buffer {
  let text = '';
  for (const part of parts) text += `${toTextBytes(part)}:${part}`;
  return hash('sha256', text, 'buffer');
}
