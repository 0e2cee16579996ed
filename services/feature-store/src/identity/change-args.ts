import { ID_STRENGTHS, type IdentityRules, type ProfileRef } from '@perennial/identity';
import { AppError } from '@perennial/kernel';
import { type Pseudonymizer, parseUserId } from '@perennial/privacy';
import { TEXT_CHARS_MAX } from './check-refs.js';
import { toExternalId } from './external-ids.js';

type Sealing = Pick<Pseudonymizer, 'toProfileKey' | 'seal'>;

/** A user id, which may be written `user:ID`, or `anonymous:ID`: what events are keyed by. */
export function parseProfileArg(text: string, pseudonymizer: Sealing): ProfileRef {
  const isAnonymous = text.startsWith('anonymous:');
  const id = parseUserId(text.replace(/^(anonymous|user):/, ''), 'id');
  return {
    key: pseudonymizer.toProfileKey(isAnonymous ? { anonymousId: id } : { userId: id }),
    strength: isAnonymous ? ID_STRENGTHS.anonymous : ID_STRENGTHS.user,
    subject: pseudonymizer.seal(id),
  };
}

/**
 * The same, or `KIND:ID` of a kind of the rules in force, such as `email:anna@example.com`. Throws `contract_violation` for what is
 * no id of its kind. A user id with a colon is that of a user where no kind has the name before it.
 */
export function parseIdArg(text: string, pseudonymizer: Sealing, rules: IdentityRules): ProfileRef {
  const name = text.slice(0, Math.max(0, text.indexOf(':')));
  const kind = rules.others.find((one) => one.name === name);
  if (kind === undefined) return parseProfileArg(text, pseudonymizer);
  const named = toExternalId({ id: text.slice(name.length + 1), kind: name }, rules);
  if (!('id' in named)) throw new AppError('config_invalid', `${JSON.stringify(name)} is no kind of another id`);
  return {
    key: pseudonymizer.toProfileKey(named),
    strength: kind.strength,
    subject: pseudonymizer.seal(named.id),
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
