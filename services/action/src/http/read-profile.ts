import { toParts } from '@perennial/identity';
import { AppError, must } from '@perennial/kernel';
import type { ReadStates } from '@perennial/keyed-processor';
import type { ActionState } from '../domain/action-state.js';
import type { StoredAction } from '../joins.js';

/** Forwarders on the way to a profile; each is stronger than the one before, so chains are short. */
const HOPS_MAX = 16;

type Read = Awaited<ReturnType<ReadStates<StoredAction>>>[number];

/** What action keeps under a key, and of its partition; of a profile that has joined another one that of the other one. */
export interface ReadProfile extends Pick<Read, 'logTimeMs' | 'inForce'> {
  readonly profileKey: string;
  readonly profile: ActionState | undefined;
}

export async function readProfile(readStates: ReadStates<StoredAction>, profileKey: string): Promise<ReadProfile> {
  let key = profileKey;
  for (let hops = 0; hops <= HOPS_MAX; hops++) {
    const { state, logTimeMs, inForce } = must((await readStates([key]))[0], 'a read');
    const { node, profile } = toParts(state);
    if (node.kind !== 'forwarder') return { profileKey: key, profile, logTimeMs, inForce };
    key = node.to.key;
  }
  throw new AppError('contract_violation', `a profile forwards over more than ${HOPS_MAX} others`);
}
