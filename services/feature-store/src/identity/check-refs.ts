import type { HandOver, ProfileRef } from '@perennial/contracts';
import { isStronger, MEMBERS_MAX } from '@perennial/identity';
import { AppError } from '@perennial/kernel';
import { type ProfileState, SUBJECT_BYTES_MAX, TIME_MS_MAX } from '../domain/profile-state.js';

/** Those of pseudonyms are 22. */
const KEY_CHARS_MAX = 64;

/**
 * A profile that a record names. Throws `contract_violation` where there is none, or one that no profile has: a state with a
 * name of any length could not be stored, and its partition would stand still.
 */
export function requireRef(ref: ProfileRef | undefined, name: string): ProfileRef {
  if (ref === undefined) throw new AppError('contract_violation', `a record about joins without ${name}`);
  requireKey(ref.key, name);
  if (ref.subject.length > SUBJECT_BYTES_MAX)
    throw new AppError('contract_violation', `${name} has a sealed id of ${ref.subject.length} bytes`);
  return ref;
}

/** The members of a profile that is handed over. Throws `contract_violation` as `requireRef`, or for more than a profile has. */
export function requireMembers({ from, members }: HandOver): HandOver['members'] {
  requireKey(from, 'from');
  if (members.length > MEMBERS_MAX)
    throw new AppError('contract_violation', `a profile with ${members.length} members is handed over`);
  for (const { key } of members) requireKey(key, 'a member');
  return members;
}

/**
 * Where a record goes from the profile `self`: always to a stronger one, so that its way ends. Throws `contract_violation`
 * where it does not, as in a circle of forged joins, in which it would travel for ever.
 */
export function requireStronger(to: ProfileRef, self: ProfileRef): ProfileRef {
  if (isStronger(to, self)) return to;
  throw new AppError('contract_violation', `${self.key} forwards to ${to.key}, which is not stronger`);
}

/** A state that is handed over. Throws `contract_violation` where its time is one that no event has. */
export function requireKnownTime(state: ProfileState): ProfileState {
  const { asOfMs } = state.engine;
  if (asOfMs >= 0 && asOfMs <= TIME_MS_MAX) return state;
  throw new AppError('contract_violation', 'a profile is handed over whose time is not between 1970 and 2100');
}

function requireKey(key: string, name: string): void {
  if (key === '' || key.length > KEY_CHARS_MAX)
    throw new AppError('contract_violation', `${name} has a key of ${key.length} characters`);
}
