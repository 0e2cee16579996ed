import type { HandOver, IdentityChange, ProfileRef, Unmerge } from '@perennial/contracts';
import { APART_MAX, isStrength, isStronger, LEDGER_KEY, MEMBERS_MAX } from '@perennial/identity';
import { AppError } from '@perennial/kernel';
import { type ProfileState, SUBJECT_BYTES_MAX, TIME_MS_MAX } from '../domain/profile-state.js';

/** Those of pseudonyms are 22. */
const KEY_CHARS_MAX = 64;
/** Of the id of a change. */
const ID_CHARS_MAX = 64;
/** Of who asks for a change, and why. */
export const TEXT_CHARS_MAX = 500;
const SHA256 = /^[0-9a-f]{64}$/;

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
export function requireMembers({ from, members, parted }: HandOver): HandOver['members'] {
  requireKey(from, 'from');
  if (parted !== undefined) {
    if (Math.max(parted.apart.length, parted.left.length) > APART_MAX)
      throw new AppError('contract_violation', `a profile that was parted from more than ${APART_MAX} is handed over`);
    for (const key of parted.apart) requireKey(key, 'one that it was parted from');
  }
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

/** A change that somebody asks for. Throws `contract_violation` for one that no command writes: the ledger keeps it. */
export function requireChange(change: IdentityChange): IdentityChange {
  const { id, kind, by, reason, atMs } = change;
  const weaker = requireProfile(change.weaker, 'the weaker one');
  const stronger = requireProfile(change.stronger, 'the stronger one');
  const problem =
    kind !== 'merge' && kind !== 'unmerge'
      ? `that is no ${kind}`
      : id === '' || id.length > ID_CHARS_MAX
        ? `with an id of ${id.length} characters`
        : Math.max(by.length, reason.length) > TEXT_CHARS_MAX
          ? `with more than ${TEXT_CHARS_MAX} characters of who or why`
          : atMs < 0 || atMs > TIME_MS_MAX
            ? 'of a time that is not between 1970 and 2100'
            : isStronger(stronger, weaker)
              ? undefined
              : 'whose stronger profile is not stronger';
  if (problem !== undefined) throw new AppError('contract_violation', `a change of identities ${problem}`);
  return change;
}

/** A step of an unmerge. Throws `contract_violation` for one that neither the service nor its runner writes. */
export function requireUnmerge(unmerge: Unmerge): Unmerge {
  const { step, self, number, attempt, other, hash, reason = '' } = unmerge;
  const leaver = requireProfile(unmerge.leaver, 'the profile that leaves');
  requireKey(other, 'the profile that is left');
  const isAtLeaver = step === 'begin' || step === 'left' || step === 'given_up' || step === 'clear';
  const hasDocument = step === 'part' || step === 'left' || step === 'done';
  const problem =
    number < 1 || attempt < 1
      ? 'without a number'
      : reason.length > TEXT_CHARS_MAX
        ? `with more than ${TEXT_CHARS_MAX} characters of why`
        : (hasDocument || hash !== '') && !SHA256.test(hash)
          ? 'whose document has no SHA-256'
          : self === undefined
            ? undefined
            : step === 'withdraw' && self.key === leaver.key
              ? undefined
              : isAtLeaver && self.key !== leaver.key
                ? 'at another profile than the one that leaves'
                : !isAtLeaver && !isStronger(self, leaver)
                  ? 'at a profile that is not stronger than the one that leaves'
                  : undefined;
  if (problem !== undefined) throw new AppError('contract_violation', `a step ${step} of an unmerge ${problem}`);
  return unmerge;
}

/** A profile of a kind that there is. */
function requireProfile(ref: ProfileRef | undefined, name: string): ProfileRef {
  const { key, strength } = requireRef(ref, name);
  if (key !== LEDGER_KEY && isStrength(strength)) return ref as ProfileRef;
  throw new AppError('contract_violation', `${name} is no profile`);
}

function requireKey(key: string, name: string): void {
  if (key === '' || key.length > KEY_CHARS_MAX)
    throw new AppError('contract_violation', `${name} has a key of ${key.length} characters`);
}
