import { type IdentityRules, normaliseId } from '@perennial/identity';
import { AppError } from '@perennial/kernel';
import type { Pseudonymizer } from '@perennial/privacy';

type ExternalId = Parameters<Pseudonymizer['toProfileKey']>[0];

/** Throws `contract_violation` for a kind that is not in force, and for a value that is no id of its kind. */
export function toExternalId(
  { id, kind }: { readonly id: string; readonly kind: string },
  rules: IdentityRules,
): Exclude<ExternalId, { accountId: string }> {
  if (kind === 'user') return { userId: id };
  if (kind === 'anonymous') return { anonymousId: id };
  const found = rules.kinds.find(({ name }) => name === kind);
  if (found === undefined) {
    const known = rules.kinds.map(({ name }) => name).join(', ');
    throw new AppError('contract_violation', `there is no kind ${JSON.stringify(kind)} in force: ${known}`);
  }
  const value = normaliseId(id, found);
  if (value === undefined) throw new AppError('contract_violation', `that is no id of the kind ${kind}`);
  return { kind, id: value };
}

/** A kind may have gone from the rules, and its ids be there. */
export function toKindName(strength: number, rules: IdentityRules): string {
  return rules.kindOf(strength)?.name ?? `of strength ${strength}`;
}
