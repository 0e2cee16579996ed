import { toParts } from '@perennial/identity';
import { AppError, must } from '@perennial/kernel';
import type { ReadStates } from '@perennial/keyed-processor';
import type { ProfileState } from '../domain/profile-state.js';
import { toOwnKeys } from './part-keys.js';
import type { StoredProfile } from './stored-profile.js';

/** Forwarders on the way to a profile; each is stronger than the one before, so chains are short. */
const HOPS_MAX = 16;

type Read = Awaited<ReturnType<ReadStates<StoredProfile>>>[number];

/** A profile as it is stored under the key that a key forwards to. */
export interface ReadProfile extends Omit<Read, 'state'> {
  /** Of the profile. */
  readonly key: string;
  readonly state: ProfileState | undefined;
  /** The key and those of the profiles that have joined it. */
  readonly ownKeys: readonly string[];
}

/**
 * Reads profiles in the order of the keys. One that has joined another is read there: one more read for each forwarder on
 * the way, all of one round at once. While a hand-over is on its way the profile has not all events yet.
 */
export async function readJoined(
  readStates: ReadStates<StoredProfile>,
  keys: readonly string[],
): Promise<readonly ReadProfile[]> {
  const found: Array<Read & { key: string }> = zip(keys, await readStates(keys));
  for (let hops = 0; hops < HOPS_MAX; hops++) {
    const forwarding = found.flatMap(({ state }, index) => {
      const { node } = toParts(state);
      return node.kind === 'forwarder' ? [{ index, key: node.to.key }] : [];
    });
    if (forwarding.length === 0) return found.map(toProfile);
    const nextKeys = forwarding.map(({ key }) => key);
    const next = zip(nextKeys, await readStates(nextKeys));
    for (const [at, { index }] of forwarding.entries()) found[index] = must(next[at], 'a read');
  }
  throw new AppError('contract_violation', `a profile forwards over more than ${HOPS_MAX} others`);
}

function toProfile(read: Read & { readonly key: string }): ReadProfile {
  const { node, profile } = toParts(read.state);
  return { ...read, state: profile, ownKeys: toOwnKeys(read.key, node) };
}

function zip(keys: readonly string[], reads: readonly Read[]): Array<Read & { key: string }> {
  return keys.map((key, index) => ({ ...must(reads[index], 'a read'), key }));
}
