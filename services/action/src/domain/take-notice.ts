import { type FoldedEvent, isBehaviour, type Outcome, type ScoreComputed } from '@perennial/contracts';
import {
  type ActionLife,
  addOutsideContact,
  canStop,
  dropPending,
  EMPTY_HISTORY,
  findBlock,
  findOption,
  listOutcomes,
  NO_PERMISSIONS,
  type PendingAction,
  type Permissions,
  type Policy,
  takeDelivery,
  takeEvent,
  takeObstacle,
  takeOutcome,
  takePermission,
  takePurpose,
  toLifeState,
} from '@perennial/policy';
import type { ActionState } from './action-state.js';

/** An outcome that an action got, and its state after it. */
export interface ActionChange {
  readonly actionId: string;
  readonly outcome: string;
  readonly state: string;
  readonly atMs: number;
  readonly messageId: string;
  readonly channel: string;
  readonly value: number | undefined;
  /** False for an action that the profile's state does not have (any more): its state is that of this outcome alone. */
  readonly isKnown: boolean;
}

/** An action that was published and is to be stopped. */
export interface Cancellation {
  readonly life: ActionLife;
  readonly reason: string;
  readonly atMs: number;
}

/** What a report changed. */
export interface NoticeStep {
  /** The same object as before when nothing changed. */
  readonly state: ActionState | undefined;
  readonly changes: readonly ActionChange[];
  readonly cancelled: readonly Cancellation[];
  /** Reasons of the waiting actions that were dropped. */
  readonly dropped: readonly string[];
}

export interface NoticePlace {
  /** Undefined while none is in force: then nothing waits either. */
  readonly policy: Policy | undefined;
  readonly logTimeMs: number;
}

/** True where a score came of a report that moved neither stage nor segments: it is no cause to act. */
export function isOnlyReport({ features, transition, segments }: ScoreComputed): boolean {
  const event = features?.event;
  if (event === undefined || isBehaviour(event.type)) return false;
  return transition === undefined && (segments?.changeNumber ?? 0) === 0;
}

/**
 * Takes what others report of a profile: outcomes move lives, contacts of others count in caps, and what the person allows changes.
 * What waits and is not allowed any more is dropped; what was published and can be stopped is cancelled. Undefined for a record
 * without a report.
 */
export function takeNotice(
  before: ActionState | undefined,
  computed: ScoreComputed,
  { policy, logTimeMs }: NoticePlace,
): NoticeStep | undefined {
  const event = computed.features?.event;
  const notice = event?.notice?.notice;
  if (event === undefined || notice === undefined) return undefined;
  const nowMs = Math.max(logTimeMs, computed.features?.asOfMs ?? 0);
  const created = before ?? createState(computed);
  let state = isDecidedFor(computed) ? created : watch(created, event, { policy, nowMs });
  let changes: readonly ActionChange[] = [];
  switch (notice.$case) {
    case 'outcome': {
      const taken = takeOutcomeOf(state, notice.value, event);
      state = taken.state;
      changes = [taken.change];
      break;
    }
    case 'contact': {
      const { channel, strategy } = notice.value;
      const contact = { atMs: event.timestampMs, channel, strategy: strategy === '' ? undefined : strategy };
      state = withHistory(state, addOutsideContact(state.history, contact));
      break;
    }
    case 'consent': {
      let { permissions = NO_PERMISSIONS } = state;
      const atMs = event.timestampMs;
      for (const said of notice.value.permissions) permissions = takePermission(permissions, { ...said, atMs });
      for (const said of notice.value.purposes) permissions = takePurpose(permissions, { ...said, atMs });
      state = withPermissions(state, permissions);
      break;
    }
  }
  const stopped = stopBlocked(state, { policy, nowMs, hadPermissions: before?.permissions });
  const isSame = before === undefined && isEmpty(stopped.state);
  const after = isSame || (before !== undefined && stopped.state === before) ? before : stopped.state;
  return { ...stopped, state: after, changes: [...changes, ...stopped.changes] };
}

function createState({ stage, modelHash, features }: ScoreComputed): ActionState {
  const { subject = Buffer.alloc(0), timeZone = '' } = features ?? {};
  return { history: EMPTY_HISTORY, stage, subject, timeZone, modelHash, facts: undefined };
}

function isEmpty({ history, lives, permissions }: ActionState): boolean {
  return history === EMPTY_HISTORY && lives === undefined && permissions === undefined;
}

/** A decision takes its event itself: taken here too, it would grant two contacts. */
function isDecidedFor(computed: ScoreComputed): boolean {
  return computed.stage !== '' && !isOnlyReport(computed);
}

/** Policies may keep silence after a complaint as after any event. */
function watch(
  state: ActionState,
  { name, type }: FoldedEvent,
  { policy, nowMs }: { policy: Policy | undefined; nowMs: number },
): ActionState {
  if (policy === undefined || isBehaviour(type)) return state;
  return withHistory(state, takeEvent(state.history, policy, { name, atMs: nowMs }));
}

function takeOutcomeOf(
  before: ActionState,
  outcome: Outcome,
  { messageId, timestampMs: atMs }: FoldedEvent,
): { readonly state: ActionState; readonly change: ActionChange } {
  const { actionId, kind, value, topic } = outcome;
  const life = before.lives?.find((known) => known.actionId === actionId);
  const channel = outcome.channel === '' ? (life?.channel ?? '') : outcome.channel;
  const after = life && takeOutcome(life, kind);
  const lives = after === life ? before.lives : before.lives?.map((known) => (known === life && after ? after : known));
  const permissions = toPermissions(before.permissions ?? NO_PERMISSIONS, { kind, channel, topic, atMs });
  const state = withPermissions(lives === before.lives ? before : { ...before, lives }, permissions);
  const lifeState = toLifeState(after === undefined ? [kind] : listOutcomes(after));
  const isKnown = life !== undefined;
  return { state, change: { actionId, outcome: kind, state: lifeState, atMs, messageId, channel, value, isKnown } };
}

/** What an outcome says of its channel. One that wants no more and names no channel that is known means all of them. */
function toPermissions(
  before: Permissions,
  { kind, channel, topic, atMs }: { kind: string; channel: string; topic: string; atMs: number },
): Permissions {
  switch (kind) {
    case 'unsubscribed':
      return takePermission(before, { channel: channel || '*', topic, state: 'withdrawn', atMs });
    case 'complained':
      return takeObstacle(before, { channel: channel || '*', kind, atMs });
    case 'bounced':
      return channel === '' ? before : takeObstacle(before, { channel, kind, atMs });
    case 'delivered':
      return takeDelivery(before, channel, atMs);
    default:
      return before;
  }
}

/** Drops what waits and cancels what can be stopped, where the person does not allow it any more. */
export function stopBlocked(
  state: ActionState,
  {
    policy,
    nowMs,
    hadPermissions,
  }: { policy: Policy | undefined; nowMs: number; hadPermissions: Permissions | undefined },
): NoticeStep & { readonly state: ActionState } {
  const { permissions } = state;
  if (permissions === undefined || permissions === hadPermissions) {
    return { state, changes: [], cancelled: [], dropped: [] };
  }
  const reasonFor = (strategy: string, channel: string | undefined) => {
    const named = policy?.strategies.get(strategy);
    const used = channel ?? named?.channel;
    return used === undefined ? undefined : findBlock(permissions, { channel: used, category: named?.category });
  };
  const reasonForWaiting = ({ strategy, option }: PendingAction) => {
    const named = policy?.strategies.get(strategy);
    const chosen = named && option && findOption(named, option.name);
    return reasonFor(strategy, chosen?.channel);
  };
  const waiting = dropPending(state.history, (pending) => reasonForWaiting(pending) !== undefined);
  const dropped = waiting.dropped.map((pending) => reasonForWaiting(pending) ?? 'withdrawn');
  const cancelled: Cancellation[] = [];
  const lives = state.lives?.map((life) => {
    const reason = reasonFor(life.strategy, life.channel);
    if (reason === undefined || !canStop(life, nowMs)) return life;
    cancelled.push({ life, reason, atMs: nowMs });
    return takeOutcome(life, 'cancelled');
  });
  const kept = withHistory(state, waiting.history);
  const after = cancelled.length === 0 ? kept : { ...kept, lives };
  return { state: after, changes: cancelled.map(toChange), cancelled, dropped };
}

function toChange({ life, atMs }: Cancellation): ActionChange {
  const { actionId, channel } = life;
  const messageId = `cancelled:${actionId}`;
  return {
    actionId,
    outcome: 'cancelled',
    state: 'cancelled',
    atMs,
    messageId,
    channel,
    value: undefined,
    isKnown: true,
  };
}

function withHistory(state: ActionState, history: ActionState['history']): ActionState {
  if (history === state.history) return state;
  // Facts are kept only while something waits.
  return { ...state, history, facts: history.pending.length === 0 ? undefined : state.facts };
}

function withPermissions(state: ActionState, permissions: Permissions): ActionState {
  return permissions === (state.permissions ?? NO_PERMISSIONS) ? state : { ...state, permissions };
}
