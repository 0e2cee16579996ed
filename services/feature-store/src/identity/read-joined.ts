import { readJoined as followJoined } from '@perennial/identity';
import type { ReadStates } from '@perennial/keyed-processor';
import type { ProfileState } from '../domain/profile-state.js';
import { toOwnKeys } from './part-keys.js';
import type { StoredProfile } from './stored-profile.js';

type Read = Awaited<ReturnType<ReadStates<StoredProfile>>>[number];

/** A profile as it is stored under the key that a key forwards to. */
export interface ReadProfile extends Omit<Read, 'state'> {
  /** Of the profile. */
  readonly key: string;
  readonly state: ProfileState | undefined;
  /** The key and those of the profiles that have joined it. */
  readonly ownKeys: readonly string[];
}

/** Reads profiles in the order of the keys, those that have joined others there. */
export async function readJoined(
  readStates: ReadStates<StoredProfile>,
  keys: readonly string[],
): Promise<readonly ReadProfile[]> {
  const found = await followJoined<ProfileState, Read>(readStates, keys);
  return found.map(({ key, read, parts: { node, profile } }) => ({
    ...read,
    key,
    state: profile,
    ownKeys: toOwnKeys(key, node),
  }));
}
