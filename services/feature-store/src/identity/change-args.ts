import { ID_STRENGTHS, type ProfileRef } from '@perennial/identity';
import { type Pseudonymizer, parseUserId } from '@perennial/privacy';
import { TEXT_CHARS_MAX } from './check-refs.js';

/** A user id, which may be written `user:ID`, or `anonymous:ID`. */
export function parseProfileArg(text: string, pseudonymizer: Pick<Pseudonymizer, 'toProfileKey' | 'seal'>): ProfileRef {
  const isAnonymous = text.startsWith('anonymous:');
  const id = parseUserId(text.replace(/^(anonymous|user):/, ''), 'id');
  return {
    key: pseudonymizer.toProfileKey(isAnonymous ? { anonymousId: id } : { userId: id }),
    strength: isAnonymous ? ID_STRENGTHS.anonymous : ID_STRENGTHS.user,
    subject: pseudonymizer.seal(id),
  };
}

/** What is wrong with who asks for `what`, and why. */
export function findAskingProblems(
  { by, reason }: { readonly by: string; readonly reason: string },
  what: string,
): string[] {
  return [
    by.trim() === '' ? `--by is missing: who asks for ${what}` : '',
    by.length > TEXT_CHARS_MAX ? `--by has more than ${TEXT_CHARS_MAX} characters` : '',
    reason.length > TEXT_CHARS_MAX ? `--reason has more than ${TEXT_CHARS_MAX} characters` : '',
  ].filter(Boolean);
}
