import { type IdentityRules, isShown, LEDGER_KEY, type ProfileRef, toParts } from '@perennial/identity';
import { AppError, must } from '@perennial/kernel';
import type { ReadStates } from '@perennial/keyed-processor';
import { type Pseudonymizer, parseUserId } from '@perennial/privacy';
import { addOperation, type FastifyInstance } from '@perennial/service-host';
import type { FeatureArtifacts } from '../artifacts.js';
import { toExternalId, toKindName } from '../identity/external-ids.js';
import type { StoredProfile } from '../identity/stored-profile.js';
import { getIdentity } from './operations.js';

/** Forwarders on the way to a profile; each is stronger than the one before, so paths are short. */
const HOPS_MAX = 16;

export interface IdentityRouteDeps {
  readonly readStates: ReadStates<StoredProfile>;
  readonly loadIdentity: FeatureArtifacts['identity'];
  readonly pseudonymizer: Pseudonymizer;
}

export function addIdentityRoutes(server: FastifyInstance, deps: IdentityRouteDeps): void {
  const { readStates, loadIdentity } = deps;
  addOperation(server, getIdentity, async ({ path, query }) => {
    const id = parseUserId(path.id, 'id');
    const { kind = 'user' } = query;
    // Rules come into force partition by partition: any will do to read an id.
    const { inForce } = must((await readStates([LEDGER_KEY]))[0], 'a read');
    const rules = await loadIdentity(inForce.get('identity'));
    const profileKey = deps.pseudonymizer.toProfileKey(toExternalId({ id, kind }, rules));
    return { id, kind, profileKey, ...(await followIdentity({ profileKey, kind, rules }, deps)) };
  });
}

interface Asked {
  readonly profileKey: string;
  readonly kind: string;
  readonly rules: IdentityRules;
}

async function followIdentity(
  { profileKey, kind, rules }: Asked,
  { readStates, pseudonymizer }: Pick<IdentityRouteDeps, 'readStates' | 'pseudonymizer'>,
) {
  const joined = [];
  const namedByMax = rules.kinds.find(({ name }) => name === kind)?.maxProfiles ?? null;
  let namedBy = 0;
  for (let key = profileKey; joined.length <= HOPS_MAX; ) {
    const { state } = must((await readStates([key]))[0], 'a read');
    const { node } = toParts(state);
    if (node.kind === 'ledger') break;
    if (key === profileKey) namedBy = node.namedBy ?? 0;
    if (node.kind === 'root') {
      const members = node.members.map(({ atMs, isJoined, strength, ...member }) => ({
        profileKey: member.key,
        kind: strength === undefined ? null : toKindName(strength, rules),
        joined: isJoined,
        at: toTime(atMs),
      }));
      return { known: state !== undefined, joined, members, cutOff: node.cutOff, namedBy, namedByMax };
    }
    joined.push({ ...describe(node.to, { pseudonymizer, rules }), since: toTime(node.sinceMs) });
    key = node.to.key;
  }
  throw new AppError('contract_violation', `a profile forwards over more than ${HOPS_MAX} others`);
}

function describe(
  { key, strength, subject }: ProfileRef,
  { pseudonymizer, rules }: { readonly pseudonymizer: Pseudonymizer; readonly rules: IdentityRules },
) {
  const kind = toKindName(strength, rules);
  return { profileKey: key, id: isShown({ strength }) ? pseudonymizer.unseal(subject) : null, kind };
}

function toTime(atMs: number): string {
  return new Date(atMs).toISOString();
}
