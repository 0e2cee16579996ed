export { type IdentityNode, LONE_ROOT, MEMBERS_MAX, type Member } from './node.js';
export { ID_STRENGTHS, isStronger, type ProfileRef } from './profile-ref.js';
export { type NamedId, type SentRecord, takeEvent, takeHandOver, takeJoin, takeLink } from './take.js';
