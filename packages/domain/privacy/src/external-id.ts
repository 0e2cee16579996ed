import { AppError } from '@perennial/kernel';
import type { Pseudonymizer } from './pseudonymizer.js';

/** Longest external id, in UTF-16 code units: the front door rejects longer ones, so no profile has one. */
export const EXTERNAL_ID_CHARS_MAX = 256;

/**
 * Parses the user id of a request. Whole numbers become their text, as at the front door: apps often number their
 * users. Throws AppError `contract_violation` that names the field.
 */
export function parseUserId(value: unknown, field = 'userId'): string {
  if (value === undefined) throw invalid(`${field} is missing`);
  const userId = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof userId !== 'string') throw invalid(`${field} must be a string`);
  if (userId.trim() === '') throw invalid(`${field} is empty`);
  if (userId.length > EXTERNAL_ID_CHARS_MAX) {
    throw invalid(`${field} has ${userId.length} characters, ${EXTERNAL_ID_CHARS_MAX} at most`);
  }
  return userId;
}

/**
 * The external user id of a profile; null for a profile known by an anonymous id only, whose key differs from that
 * of a user with the same text. Throws `contract_violation` when it was sealed under another secret.
 */
export function unsealUserId(
  pseudonymizer: Pseudonymizer,
  { profileKey, subject }: { readonly profileKey: string; readonly subject: Buffer },
): string | null {
  if (subject.length === 0) return null;
  const userId = pseudonymizer.unseal(subject);
  return pseudonymizer.toProfileKey({ userId }) === profileKey ? userId : null;
}

function invalid(message: string): AppError {
  return new AppError('contract_violation', message);
}
