import { type ScoreVector, toEvidence, toProfileValues, toReasons, type Value } from '@perennial/expressions';
import { toDeterministicId, toUnitInterval } from '@perennial/kernel';
import {
  addContact,
  type CauseEvent,
  CONTACTS_MAX,
  type ContactHistory,
  EMPTY_HISTORY,
  isCapReached,
  PENDING_MAX,
  type PendingAction,
  withPending,
} from './history.js';
import type { Policy, Strategy } from './policy.js';
import { toQuietEndMs } from './quiet-hours.js';
import { isTimeZone } from './time-zone.js';

const DAY_MS = 86_400_000;

/** Why a candidate strategy leads to no action (yet): a closed set. */
const SUPPRESSION_REASONS = [
  'condition_false',
  'global_holdout',
  'strategy_holdout',
  'already_pending',
  'cooldown',
  'channel_cap',
  'overall_cap',
  'outranked',
  'quiet_hours_outlast_expiry',
  'pending_full',
  'expired',
  'stage_left',
  'strategy_removed',
] as const;
type SuppressionReason = (typeof SUPPRESSION_REASONS)[number];

export interface Suppression {
  readonly strategy: string;
  readonly reason: SuppressionReason;
}

/** An action to be published. */
export interface ActionDecision {
  /** Deterministic: a hash of namespace, profile, cause and strategy. */
  readonly actionId: string;
  readonly strategy: string;
  readonly channel: string;
  readonly template: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly cost: number;
  readonly stage: string;
  readonly causeId: string;
  readonly reasons: readonly string[];
  readonly decidedAtMs: number;
  readonly expiresAtMs: number;
}

/** Result for one cause: `no_candidate` when no strategy matches this stage and trigger. */
export type DecisionStatus = 'decided' | 'deferred' | 'suppressed' | 'no_candidate';

export interface DecisionResult {
  readonly status: DecisionStatus;
  readonly decisions: readonly ActionDecision[];
  readonly suppressed: readonly Suppression[];
  /** The same object as before when nothing changed. */
  readonly history: ContactHistory;
  /** When `releasePending` is due: the end of quiet hours; absent while nothing waits. */
  readonly retryAtMs?: number;
}

/** A profile at the time of a step. */
export interface Profile {
  readonly namespace: string;
  readonly profileKey: string;
  readonly stage: string;
  /** Time of this step; never before that of an earlier step of the same profile. */
  readonly nowMs: number;
  readonly history: ContactHistory | undefined;
  /** The user's own zone; an unknown zone falls back to the policy's. */
  readonly timeZone: string;
  readonly stageSinceMs: number;
  readonly scores?: ScoreVector | undefined;
  /** As of `nowMs`, in the order of the names passed to the policy's parser; NaN or null for no value. */
  readonly features: readonly (number | null)[];
  /** As of `nowMs`, in the order of the attributes passed to the policy's parser. */
  readonly attributes?: readonly Value[] | undefined;
  readonly lastEventAtMs: number;
  /** The segments that it is in; absent while none are in force. */
  readonly segments?: ReadonlySet<string> | undefined;
}

export interface DecisionInputs extends Profile {
  /** Id of the cause, such as `transition:3`: it gives at most one action. */
  readonly causeId: string;
  /** Present when this record moved the profile into `stage`. */
  readonly transition?: { readonly from: string } | undefined;
  readonly event?: CauseEvent | undefined;
}

/**
 * Decides the action, if any, for one profile and one cause: candidates (stage and trigger) -> eligible
 * (condition) -> not suppressed (holdouts, cooldown, caps) -> choice of one -> now, or at the end of quiet hours. Pure.
 */
export function decideActions(policy: Policy, inputs: DecisionInputs): DecisionResult {
  const history = inputs.history ?? EMPTY_HISTORY;
  const candidates = (policy.byStage.get(inputs.stage) ?? []).filter(
    ({ on }) => on === 'scored' || inputs.transition !== undefined,
  );
  if (candidates.length === 0) return toResult('no_candidate', history);

  const suppressed: Suppression[] = [];
  const values = toValues(policy, inputs, inputs.event);
  const open = candidates.filter((strategy) => {
    const reason =
      strategy.when?.test(values) === false ? 'condition_false' : findSuppression(policy, strategy, inputs, history);
    if (reason !== undefined) suppressed.push({ strategy: strategy.name, reason });
    return reason === undefined;
  });
  const chosen = chooseStrategy(policy, open, inputs);
  if (chosen === undefined) return toResult('suppressed', history, { suppressed });
  for (const { name } of open) if (name !== chosen.name) suppressed.push({ strategy: name, reason: 'outranked' });

  const evidence = toEvidence(chosen.when?.reads ?? [], policy.variables, values);
  const trigger =
    inputs.transition === undefined
      ? `is ${inputs.stage}`
      : `became ${inputs.stage}, was ${inputs.transition.from || 'unknown'}`;
  return act(policy, chosen, inputs, {
    history,
    suppressed,
    causeId: inputs.causeId,
    event: inputs.event,
    causedAtMs: inputs.nowMs,
    expiresAtMs: inputs.nowMs + chosen.expiryMs,
    reasons: [trigger, ...toReasons(evidence)],
  });
}

/**
 * Processes decisions that waited for the end of quiet hours and are due: each is published, deferred again, or dropped
 * if it expired or its reason is gone: a user who ordered at night gets no "we miss you" in the morning. Conditions
 * read current values, with the event that was the cause. At most one action per cause still holds: each keeps its own.
 */
export function releasePending(policy: Policy, profile: Profile): DecisionResult {
  const before = profile.history ?? EMPTY_HISTORY;
  const due = before.pending.filter(({ dueAtMs }) => dueAtMs <= profile.nowMs);
  if (due.length === 0) return toResult('no_candidate', before);
  let history = withPending(
    before,
    before.pending.filter(({ dueAtMs }) => dueAtMs > profile.nowMs),
  );
  const decisions: ActionDecision[] = [];
  const suppressed: Suppression[] = [];
  let status: DecisionStatus = 'suppressed';
  for (const pending of due) {
    const strategy = policy.strategies.get(pending.strategy);
    const reason = findReleaseSuppression(policy, strategy, pending, profile, history);
    if (strategy === undefined || reason !== undefined) {
      suppressed.push({ strategy: pending.strategy, reason: reason ?? 'strategy_removed' });
      continue;
    }
    const result = act(policy, strategy, profile, { ...pending, history, suppressed: [] });
    history = result.history;
    decisions.push(...result.decisions);
    suppressed.push(...result.suppressed);
    if (status !== 'decided') status = result.status;
  }
  return toResult(status, history, { decisions, suppressed });
}

function findReleaseSuppression(
  policy: Policy,
  strategy: Strategy | undefined,
  pending: PendingAction,
  profile: Profile,
  history: ContactHistory,
): SuppressionReason | undefined {
  if (strategy === undefined) return 'strategy_removed';
  if (pending.expiresAtMs <= profile.nowMs) return 'expired';
  if (!strategy.stages.has(profile.stage)) return 'stage_left';
  if (strategy.when?.test(toValues(policy, profile, pending.event)) === false) return 'condition_false';
  return findSuppression(policy, strategy, profile, history);
}

function toValues({ variables }: Policy, profile: Profile, event: CauseEvent | undefined) {
  const facts = {
    features: profile.features,
    attributes: profile.attributes,
    scores: profile.scores,
    segments: profile.segments,
    stage: profile.stage,
    daysInStage: (profile.nowMs - profile.stageSinceMs) / DAY_MS,
    daysSinceEvent: (profile.nowMs - profile.lastEventAtMs) / DAY_MS,
    event,
  };
  return toProfileValues(facts, variables);
}

function findSuppression(
  policy: Policy,
  strategy: Strategy,
  { profileKey, nowMs }: Profile,
  history: ContactHistory,
): SuppressionReason | undefined {
  if (isHeldOut(policy.holdoutShare, policy.salt, profileKey)) return 'global_holdout';
  if (isHeldOut(strategy.holdoutShare, policy.salt, profileKey, strategy.name)) return 'strategy_holdout';
  if (history.pending.some((pending) => pending.strategy === strategy.name)) return 'already_pending';
  const lastUsedAtMs = Object.hasOwn(history.lastUsedAtMs, strategy.name)
    ? history.lastUsedAtMs[strategy.name]
    : undefined;
  if (lastUsedAtMs !== undefined && nowMs < lastUsedAtMs + strategy.cooldownMs) return 'cooldown';
  const { channel } = strategy;
  const channelCaps = policy.channels.get(channel)?.caps ?? [];
  if (channelCaps.some((cap) => isCapReached(history, cap, { nowMs, channel }))) return 'channel_cap';
  // The last cap keeps the history complete: a contact that a cap still counts is never evicted.
  const overallCaps = [...policy.caps, { max: CONTACTS_MAX, windowMs: policy.contactWindowMs }];
  if (overallCaps.some((cap) => isCapReached(history, cap, { nowMs, channel: undefined }))) return 'overall_cap';
  return undefined;
}

/** Deterministic: the same profiles for the same salt, on every machine and in every backfill. */
export function isHeldOut(share: number, salt: string, profileKey: string, strategy = ''): boolean {
  return share > 0 && toUnitInterval('holdout', salt, strategy, profileKey) < share;
}

function chooseStrategy(policy: Policy, open: readonly Strategy[], inputs: DecisionInputs): Strategy | undefined {
  if (open.length <= 1) return open[0];
  if (policy.choice === 'priority') return open.reduce((best, next) => (next.priority > best.priority ? next : best));
  const total = open.reduce((sum, { weight }) => sum + weight, 0);
  let left = toUnitInterval('choice', policy.salt, inputs.profileKey, inputs.causeId) * total;
  return (
    open.find(({ weight }) => {
      left -= weight;
      return left < 0;
    }) ?? open.at(-1)
  );
}

interface Act {
  readonly history: ContactHistory;
  readonly suppressed: Suppression[];
  readonly causeId: string;
  readonly event: CauseEvent | undefined;
  readonly causedAtMs: number;
  readonly expiresAtMs: number;
  readonly reasons: readonly string[];
}

/** Publishes the action now, or defers it to the end of quiet hours. */
function act(policy: Policy, strategy: Strategy, profile: Profile, plan: Act): DecisionResult {
  const { history, suppressed } = plan;
  const quietEndMs = toStrategyQuietEndMs(policy, strategy, profile);
  if (quietEndMs === undefined) {
    const contact = { atMs: profile.nowMs, channel: strategy.channel, strategy: strategy.name };
    const decision = toDecision(strategy, profile, plan);
    return toResult('decided', addContact(history, policy, contact), { decisions: [decision], suppressed });
  }
  const drop = (reason: SuppressionReason): DecisionResult =>
    toResult('suppressed', history, { suppressed: [...suppressed, { strategy: strategy.name, reason }] });
  if (quietEndMs >= plan.expiresAtMs) return drop('quiet_hours_outlast_expiry');
  if (history.pending.length >= PENDING_MAX) return drop('pending_full');
  const { causeId, causedAtMs, expiresAtMs, reasons } = plan;
  const event = plan.event && { type: plan.event.type, name: plan.event.name };
  const pending = { strategy: strategy.name, causeId, event, causedAtMs, dueAtMs: quietEndMs, expiresAtMs, reasons };
  return toResult('deferred', withPending(history, [...history.pending, pending]), { suppressed });
}

function toStrategyQuietEndMs(policy: Policy, strategy: Strategy, profile: Profile): number | undefined {
  if (policy.quietHours === undefined) return undefined;
  if (policy.channels.get(strategy.channel)?.ignoresQuietHours === true) return undefined;
  const timeZone = isTimeZone(profile.timeZone) ? profile.timeZone : policy.timeZone;
  return toQuietEndMs(policy.quietHours, timeZone, profile.nowMs);
}

function toDecision(strategy: Strategy, profile: Profile, plan: Act): ActionDecision {
  return {
    actionId: toDeterministicId('action', profile.namespace, profile.profileKey, plan.causeId, strategy.name),
    strategy: strategy.name,
    channel: strategy.channel,
    template: strategy.template,
    parameters: strategy.parameters,
    cost: strategy.cost,
    stage: profile.stage,
    causeId: plan.causeId,
    reasons: plan.reasons,
    decidedAtMs: profile.nowMs,
    expiresAtMs: plan.expiresAtMs,
  };
}

function toResult(
  status: DecisionStatus,
  history: ContactHistory,
  more: { decisions?: readonly ActionDecision[]; suppressed?: readonly Suppression[] } = {},
): DecisionResult {
  const [next] = history.pending;
  return {
    status,
    decisions: more.decisions ?? [],
    suppressed: more.suppressed ?? [],
    history,
    ...(next === undefined ? {} : { retryAtMs: next.dueAtMs }),
  };
}
