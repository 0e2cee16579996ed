import type { HandOver } from '@perennial/contracts';
import type { IdentityNode } from '@perennial/identity';
import type { ProfileState } from '../domain/profile-state.js';

/** Keys of the profile that is handed over and of those that had joined it; none of one that was parted. */
export function toJoinedKeys({ from, members, parted }: HandOver): readonly string[] {
  if (parted !== undefined) return [];
  return [from, ...members.filter(({ joined }) => joined).map(({ key }) => key)];
}

/**
 * The key of a profile and those that have joined it, as it takes their parts of a fill. None of one that was parted: a
 * fill folds what was forwarded where it went, an unmerge or not.
 */
export function toOwnKeys(key: string, node: IdentityNode): readonly string[] {
  if (node.kind !== 'root') return [key];
  if (node.parted !== undefined) return [];
  if (node.members.length === 0) return [key];
  return [key, ...node.members.filter(({ isJoined }) => isJoined).map((member) => member.key)];
}

/** Those of the keys whose parts of a fill a profile has yet to take. */
export function toPartKeys(keys: readonly string[], { whole = [] }: Pick<ProfileState, 'whole'>): readonly string[] {
  return whole.length === 0 ? keys : keys.filter((key) => !whole.includes(key));
}
