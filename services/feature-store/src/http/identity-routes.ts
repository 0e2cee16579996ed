import { ID_STRENGTHS, type ProfileRef, toParts } from '@perennial/identity';
import { AppError, must } from '@perennial/kernel';
import type { ReadStates } from '@perennial/keyed-processor';
import { type Pseudonymizer, parseUserId } from '@perennial/privacy';
import { addOperation, type FastifyInstance } from '@perennial/service-host';
import type { StoredProfile } from '../identity/stored-profile.js';
import { getIdentity } from './operations.js';

/** Forwarders on the way to a profile; each is stronger than the one before, so chains are short. */
const HOPS_MAX = 16;

export interface IdentityRouteDeps {
  readonly readStates: ReadStates<StoredProfile>;
  readonly pseudonymizer: Pseudonymizer;
}

export function addIdentityRoutes(server: FastifyInstance, { readStates, pseudonymizer }: IdentityRouteDeps): void {
  addOperation(server, getIdentity, async ({ path, query }) => {
    const id = parseUserId(path.id, 'id');
    const { kind = 'user' } = query;
    const profileKey = pseudonymizer.toProfileKey(kind === 'user' ? { userId: id } : { anonymousId: id });
    return { id, kind, profileKey, ...(await followIdentity(readStates, { profileKey, pseudonymizer })) };
  });
}

async function followIdentity(
  readStates: ReadStates<StoredProfile>,
  { profileKey, pseudonymizer }: { readonly profileKey: string; readonly pseudonymizer: Pseudonymizer },
) {
  const joined = [];
  for (let key = profileKey; joined.length <= HOPS_MAX; ) {
    const { state } = must((await readStates([key]))[0], 'a read');
    const { node } = toParts(state);
    if (node.kind === 'root') {
      const members = node.members.map(({ atMs, isJoined, ...member }) => ({
        profileKey: member.key,
        joined: isJoined,
        at: toTime(atMs),
      }));
      return { known: state !== undefined, joined, members, cutOff: node.cutOff };
    }
    if (node.kind === 'ledger') break;
    joined.push({ ...describe(node.to, pseudonymizer), since: toTime(node.sinceMs) });
    key = node.to.key;
  }
  throw new AppError('contract_violation', `a profile forwards over more than ${HOPS_MAX} others`);
}

function describe({ key, strength, subject }: ProfileRef, pseudonymizer: Pseudonymizer) {
  const kind = strength >= ID_STRENGTHS.user ? ('user' as const) : ('anonymous' as const);
  return { profileKey: key, id: pseudonymizer.unseal(subject), kind };
}

function toTime(atMs: number): string {
  return new Date(atMs).toISOString();
}
