import { AppError } from '@perennial/kernel';

/**
 * Immutable objects by key. Keys are segments of `[A-Za-z0-9._=-]`, joined by `/`. Every method throws a retriable
 * AppError `dependency_unavailable` when the store is unavailable or rejects the request.
 */
export interface BlobStore {
  /** Resolves when the object is durable and completely readable; before that no reader sees any part of it. */
  put(key: string, bytes: Buffer): Promise<void>;
  /** Undefined when there is no such object. */
  get(key: string): Promise<Buffer | undefined>;
  /** All keys that begin with `prefix`, ascending. The prefix ends in `/`; the empty prefix lists all keys. */
  list(prefix: string): Promise<string[]>;
  /** Does nothing when the object does not exist. */
  delete(key: string): Promise<void>;
}

/** A blob store that also reads in pieces, for objects too large to be loaded before they are verified. */
export interface StreamingBlobStore extends BlobStore {
  /** The object's bytes in order, in pieces of any size; undefined when there is none. */
  read(key: string): Promise<AsyncIterable<Buffer> | undefined>;
}

/** Longest key in bytes: the limit of S3, less some room for a prefix. */
const KEY_BYTES_MAX = 900;

const KEY = /^[A-Za-z0-9_-][A-Za-z0-9._=-]*(\/[A-Za-z0-9_-][A-Za-z0-9._=-]*)*$/;

/** Throws for a key that some store could not hold, or that would leave the folder. */
export function checkKey(key: string): void {
  if (key.length <= KEY_BYTES_MAX && KEY.test(key)) return;
  throw new AppError('contract_violation', `not a key of a blob store: ${JSON.stringify(key)}`);
}

/** Throws for a prefix that is neither empty nor a key followed by a slash. */
export function checkPrefix(prefix: string): void {
  if (prefix === '') return;
  if (!prefix.endsWith('/')) throw new AppError('contract_violation', `a prefix ends in a slash: ${prefix}`);
  checkKey(prefix.slice(0, -1));
}
