import { AppError, toSha256 } from '@perennial/kernel';
import { isObject } from './fields.js';

/**
 * Canonical bytes of a manifest: its JSON without white space, with sorted keys. Layout and key order do not change
 * the model's hash; every other change does. Throws `artifact_invalid` for bytes that are no JSON object.
 */
export function toCanonicalManifest(bytes: Uint8Array): Buffer {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new AppError('artifact_invalid', 'manifest.json is not JSON', { cause });
  }
  if (!isObject(value)) throw new AppError('artifact_invalid', 'manifest.json is not a JSON object');
  return Buffer.from(JSON.stringify(sortKeys(value)));
}

/** The model's hash. The manifest names the file by its hash, so this hash covers the file too. */
export function toManifestHash(bytes: Uint8Array): string {
  return toSha256(toCanonicalManifest(bytes));
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, inner]): [string, unknown] => [key, sortKeys(inner)]);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
