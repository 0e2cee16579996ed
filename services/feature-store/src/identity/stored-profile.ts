import type { ProfileNode, Stored, StoredNode } from '@perennial/identity';
import type { ProfileState } from '../domain/profile-state.js';

/** What is stored under a key. */
export type StoredProfile = Stored<ProfileState>;
/** What is stored under the key of a profile, not of the ledger. */
export type ProfileInStore = StoredNode<ProfileState> & { readonly node: ProfileNode };
