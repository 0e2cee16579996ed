export { type ForwarderNode, type IdentityNode, LONE_ROOT, MEMBERS_MAX, type Member, type RootNode } from './node.js';
export { ID_STRENGTHS, isStronger, type ProfileRef } from './profile-ref.js';
export {
  type NamedId,
  type SentRecord,
  takeEvent,
  takeHandOver,
  takeJoin,
  takeLink,
} from './take.js';
