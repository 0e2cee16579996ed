import type { Stored, StoredNode } from '@perennial/identity';
import type { ProfileState } from '../domain/profile-state.js';

/** What is stored under a key. */
export type StoredProfile = Stored<ProfileState>;
export type JoinedProfile = StoredNode<ProfileState>;
