export {
  type ActionDecision,
  type DecisionInputs,
  type DecisionResult,
  type DecisionStatus,
  decideActions,
  isHeldOut,
  type Profile,
  releasePending,
  type Suppression,
} from './decide.js';
export {
  type CauseEvent,
  CONTACTS_MAX,
  type ContactHistory,
  EMPTY_HISTORY,
  mergeContacts,
  PENDING_MAX,
} from './history.js';
export { parsePolicy } from './parse.js';
export type { Policy } from './policy.js';
export { isQuiet, toQuietEndMs } from './quiet-hours.js';
export { isTimeZone, toLocalMinutes } from './time-zone.js';
