export { JoinedKeys } from './joined-keys.js';
export { createJoinedStates } from './joined-states.js';
export {
  findRunning,
  isBegun,
  LEDGER_KEY,
  type LedgerEntry,
  type LedgerNode,
  type LedgerResult,
  takeChange,
  takeResult,
} from './ledger.js';
export {
  APART_MAX,
  addParted,
  type ForwarderNode,
  type IdentityNode,
  type Leaving,
  LONE_ROOT,
  MEMBERS_MAX,
  type Member,
  type Parted,
  type ProfileNode,
  type RootNode,
} from './node.js';
export { fromMember, toChange, toMember } from './node-codec.js';
export { ID_STRENGTHS, isShown, isStrength, isStronger, type ProfileRef, toAddress } from './profile-ref.js';
export { readJoined } from './read-joined.js';
export { formatIdPath } from './rules/id-path.js';
export { findMovedKind, type IdentityRules, type IdKind, INITIAL_RULES, type ReadId } from './rules/identity-rules.js';
export { normaliseId } from './rules/normalise-id.js';
export { requireIdentityRules } from './rules/parse-rules.js';
export { createStoredStates, type HeldRecord, type Stored, type StoredNode, toParts, toStored } from './stored.js';
export { type LinkRule, type NamedId, type SentRecord, takeEvent, takeHandOver, takeJoin, takeLink } from './take.js';
