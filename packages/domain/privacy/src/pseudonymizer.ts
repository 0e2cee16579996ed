import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { AppError } from '@perennial/kernel';
import { createHmacSha256 } from './hmac.js';

/**
 * The subject of an event: a user id, or a device id that belongs to no known user (yet); or the id of a group; or an id of
 * another kind, by its name in identity.yaml.
 */
type ExternalId =
  | { readonly userId: string }
  | { readonly anonymousId: string }
  | { readonly accountId: string }
  | { readonly kind: string; readonly id: string };

/** Turns external ids into the pseudonyms of internal topics, and back from sealed bytes. */
export interface Pseudonymizer {
  /** Profile key: 22 base64url characters (132 bits); ids of the same text and of other kinds differ. */
  toProfileKey(externalId: ExternalId): string;
  /** Encrypts an external id; the same id always gives the same bytes, so that records stay a function of their input. */
  seal(externalId: string): Buffer;
  /** Decrypts to the external id; throws AppError `contract_violation` for changed bytes or another secret. */
  unseal(sealed: Uint8Array): string;
}

const PROFILE_KEY_LENGTH = 22;

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const OVERHEAD_BYTES = 1 + NONCE_BYTES + TAG_BYTES;

function toName(externalId: ExternalId): string {
  if ('userId' in externalId) return `user:${externalId.userId}`;
  if ('kind' in externalId) return `id:${externalId.kind}:${externalId.id}`;
  return 'anonymousId' in externalId ? `anon:${externalId.anonymousId}` : `account:${externalId.accountId}`;
}

/**
 * A pseudonymizer under one secret. Each use has its own subkey (HKDF-SHA256, RFC 5869), so that a leak of one
 * reveals nothing about the others. Sealed form: version (1 byte), nonce (12), ciphertext, tag (16).
 */
export function createPseudonymizer(secret: string): Pseudonymizer {
  const toProfileMac = createHmacSha256(deriveKey(secret, 'profile-key'));
  const toNonceMac = createHmacSha256(deriveKey(secret, 'seal-nonce'));
  const sealKey = deriveKey(secret, 'seal');

  return {
    toProfileKey(externalId) {
      return toProfileMac(toName(externalId)).toString('base64url').slice(0, PROFILE_KEY_LENGTH);
    },

    seal(externalId) {
      // The nonce is a function of the plaintext, so it repeats only with the same plaintext. GCM allows that repeat
      // (as in AES-SIV). It reveals that two ids are equal, and the profile key reveals that anyway.
      const nonce = toNonceMac(externalId).subarray(0, NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', sealKey, nonce);
      const ciphertext = Buffer.concat([cipher.update(externalId, 'utf8'), cipher.final()]);
      return Buffer.concat([Buffer.of(VERSION), nonce, ciphertext, cipher.getAuthTag()]);
    },

    unseal(sealed) {
      if (sealed.length < OVERHEAD_BYTES || sealed[0] !== VERSION) {
        throw new AppError('contract_violation', 'a sealed id is too short or of an unknown version');
      }
      const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
      const nonce = bytes.subarray(1, 1 + NONCE_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', sealKey, nonce, { authTagLength: TAG_BYTES });
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      try {
        const plaintext = decipher.update(bytes.subarray(1 + NONCE_BYTES, -TAG_BYTES));
        return Buffer.concat([plaintext, decipher.final()]).toString('utf8');
      } catch (cause) {
        throw new AppError('contract_violation', 'a sealed id was changed, or sealed under another secret', { cause });
      }
    },
  };
}

function deriveKey(secret: string, use: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'perennial.identity', use, 32));
}
