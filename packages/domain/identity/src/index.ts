export { JoinedKeys } from './joined-keys.js';
export { type IdentityNode, LONE_ROOT, MEMBERS_MAX, type Member } from './node.js';
export { ID_STRENGTHS, isStronger, type ProfileRef } from './profile-ref.js';
export { createStoredStates, type Stored, type StoredNode, toParts, toStored } from './stored.js';
export { type NamedId, type SentRecord, takeEvent, takeHandOver, takeJoin, takeLink } from './take.js';
