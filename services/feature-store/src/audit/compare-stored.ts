import type { AuditMismatch } from '@perennial/contracts';
import { toParts } from '@perennial/identity';
import { toMessage } from '@perennial/kernel';
import type { StatePage } from '@perennial/keyed-processor';
import type { ServedProfile } from '../domain/serve.js';
import { toOwnKeys } from '../identity/part-keys.js';
import type { StoredProfile } from '../identity/stored-profile.js';
import { type ReadState, type ServeDeps, serveStored } from '../serve-stored.js';
import { type ComparedVector, type Difference, findDifferences } from './mismatch.js';
import type { Recomputation } from './recompute.js';

export interface CompareDeps extends ServeDeps {
  /** Throws for bytes that are no state. */
  readonly decode: (bytes: Buffer) => StoredProfile;
}

/** One side of a comparison: what would be answered for a key, or why nothing can be. */
type Side =
  | { readonly forwardsTo: string; readonly served: ServedProfile | undefined; readonly isAccount: boolean }
  | { readonly problem: string };

/**
 * Compares what is served of a profile with what the log below `page.next` gives, value by value and bit for bit. A key
 * that has joined another must point to the same one. At most one mismatch a feature. `served` is the stored profile's answer.
 */
export async function compareStored(
  key: string,
  page: StatePage,
  recomputation: Pick<Recomputation, 'read'>,
  deps: CompareDeps,
): Promise<{
  readonly mismatches: readonly AuditMismatch[];
  readonly served: ServedProfile | undefined;
  /** It is the profile of an account: what its members did together. */
  readonly isAccount: boolean;
}> {
  const recomputed = recomputation.read(key);
  const [online, offline] = await Promise.all([
    toSide(key, () => decodeState(page.states.get(key), deps), page, deps),
    toSide(key, () => recomputed.stored, recomputed, deps),
  ]);
  const { partition, next } = page;
  const at = { profileKey: key, partition, offset: next - 1 };
  const mismatches = compareSides(online, offline).map((found) => ({ ...at, ...found }));
  if (!('served' in online)) return { mismatches, served: undefined, isAccount: false };
  return { mismatches, served: online.served, isAccount: online.isAccount };
}

function decodeState(bytes: Buffer | undefined, { decode }: CompareDeps): StoredProfile | undefined {
  return bytes === undefined ? undefined : decode(bytes);
}

async function toSide(
  key: string,
  read: () => StoredProfile | undefined,
  { logTimeMs, inForce }: Pick<ReadState, 'logTimeMs' | 'inForce'>,
  deps: CompareDeps,
): Promise<Side> {
  let stored: StoredProfile | undefined;
  try {
    stored = read();
  } catch (error) {
    return { problem: toMessage(error) };
  }
  const { node, profile: state } = toParts(stored);
  const forwardsTo = node.kind === 'forwarder' ? node.to.key : '';
  // A key with neither events nor joins is served as one never seen.
  if (state === undefined) return { forwardsTo, served: undefined, isAccount: false };
  return {
    forwardsTo,
    isAccount: state.group !== undefined,
    served: await serveStored(key, { state, logTimeMs, inForce, ownKeys: toOwnKeys(key, node) }, deps),
  };
}

function compareSides(online: Side, offline: Side): Difference[] {
  if ('problem' in online) return [{ feature: '(state)', served: online.problem, recomputed: 'a state' }];
  if ('problem' in offline) return [{ feature: '(state)', served: 'a state', recomputed: offline.problem }];
  if (online.forwardsTo !== offline.forwardsTo)
    return [{ feature: '(joined)', served: online.forwardsTo || 'none', recomputed: offline.forwardsTo || 'none' }];
  const [a, b] = [online.served, offline.served];
  if (a === undefined || b === undefined) {
    if (a === b) return [];
    return [{ feature: '(profile)', served: a ? 'one' : 'none', recomputed: b ? 'one' : 'none' }];
  }
  // What is served has a value, or null, of each feature of its spec.
  const names = Object.keys(a.features);
  const toCompared = ({ specHash, asOf, features }: ServedProfile): ComparedVector => ({
    specHash,
    asOf,
    values: names.map((name) => features[name] ?? null),
  });
  return findDifferences(toCompared(a), toCompared(b), (i) => names[i] ?? '');
}
