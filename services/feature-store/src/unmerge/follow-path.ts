import { type ProfileNode, type ProfileRef, toParts } from '@perennial/identity';
import { AppError } from '@perennial/kernel';
import type { ReadStates } from '@perennial/keyed-processor';
import type { StoredProfile } from '../identity/stored-profile.js';

/** Forwarders on the way to a profile; each is stronger than the one before, so paths are short. */
const HOPS_MAX = 16;

/** The keys from one to the profile that it is part of, each with what it knows. */
export async function followPath(
  readStates: ReadStates<StoredProfile>,
  from: ProfileRef,
): Promise<{ readonly path: readonly ProfileRef[]; readonly nodes: readonly ProfileNode[] }> {
  const path = [from];
  const nodes: ProfileNode[] = [];
  for (let at = from; path.length <= HOPS_MAX; ) {
    const { node } = toParts((await readStates([at.key]))[0]?.state);
    if (node.kind === 'ledger') break;
    nodes.push(node);
    if (node.kind === 'root') return { path, nodes };
    at = node.to;
    path.push(at);
  }
  throw new AppError('contract_violation', `a profile forwards over more than ${HOPS_MAX} others`);
}
