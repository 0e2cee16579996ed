import { LIMITS } from './limits.js';
import { Rejection, type RejectReason, toExcerpt } from './rejection.js';

/** Control characters (NUL included) and lone surrogates: PostgreSQL or UTF-8 cannot store some of them. */
const UNSAFE = /[\p{Cc}\p{Cs}]/u;

/**
 * An id: 1 to 256 characters. Absent, null and the empty string mean "no id" (RudderStack's SDK sends `userId: ""` for
 * anonymous users). Whole numbers become their decimal text, since apps often number their users.
 */
export function parseId(value: unknown, field: string): string | undefined | Rejection {
  if (value === undefined || value === null || value === '') return undefined;
  return parseText(value, { field, reason: 'invalid_id', charsMax: LIMITS.idCharsMax });
}

/** A message's id: 1 to 100 characters; undefined when absent, null or empty. */
export function parseMessageId(value: unknown): string | undefined | Rejection {
  // Some SDKs send an empty one for none.
  if (value === undefined || value === null || value === '') return undefined;
  return parseText(value, { field: 'messageId', reason: 'invalid_message_id', charsMax: LIMITS.messageIdCharsMax });
}

/** The name of an event, page or screen: up to 200 characters, any script and emoji. */
export function parseName(value: unknown, field: string): string | Rejection {
  if (typeof value !== 'string')
    return new Rejection('invalid_name', `${field} must be a string, not ${toExcerpt(value)}`).on(field, value);
  return parseText(value, { field, reason: 'invalid_name', charsMax: LIMITS.nameCharsMax });
}

interface TextRule {
  readonly field: string;
  readonly reason: RejectReason;
  readonly charsMax: number;
}

/** A text of at most `charsMax` characters without control characters, or why it is none. */
export function parseText(value: unknown, { field, reason, charsMax }: TextRule): string | Rejection {
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  const problem = typeof text === 'string' ? findProblem(text, charsMax) : 'must be a string';
  if (problem !== undefined) return new Rejection(reason, `${field} ${problem}: ${toExcerpt(value)}`).on(field, value);
  return text as string;
}

function findProblem(text: string, charsMax: number): string | undefined {
  if (text.length > charsMax) return `has ${text.length} characters, ${charsMax} at most`;
  if (UNSAFE.test(text)) return 'has a control character or half of a surrogate pair';
  return text.trim() === '' ? 'is empty' : undefined;
}
