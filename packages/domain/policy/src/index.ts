export { comparePolicies, type PolicyChange } from './compare.js';
export { decideActions, explainActions, releasePending } from './decide.js';
export type {
  ActionDecision,
  DecisionInputs,
  DecisionResult,
  DecisionStatus,
  Drop,
  Exposure,
  Profile,
} from './decision.js';
export { describePolicy } from './describe.js';
export {
  addOutsideContact,
  type CauseEvent,
  CONTACTS_MAX,
  type Contact,
  type ContactHistory,
  dropPending,
  EMPTY_HISTORY,
  mergeContacts,
  PENDING_MAX,
  type PendingAction,
  takeEvent,
  withoutGrants,
} from './history.js';
export {
  type ActionLife,
  canStop,
  type LifeState,
  listOutcomes,
  mergeLives,
  takeOutcome,
  toLifeState,
} from './life/life.js';
export { type Finding, lintPolicy } from './lint.js';
export { describeArmMoves, findArmMoves } from './moves.js';
export { findOption } from './options.js';
export { type ParseOptions, parsePolicy } from './parse.js';
export {
  findBlock,
  mergePermissions,
  NO_PERMISSIONS,
  type Permissions,
  takeDelivery,
  takeObstacle,
  takePermission,
  takePurpose,
} from './permissions/permissions.js';
export type { Policy } from './policy.js';
export { isQuiet, toQuietEndMs } from './quiet-hours.js';
export { STEP_NAMES, STEP_OF_REASON } from './reasons.js';
export { isHeldOut } from './steps/arm.js';
export { isTimeZone, toLocalMinutes } from './time-zone.js';
