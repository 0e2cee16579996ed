import type { DecisionInputs, DecisionResult, DecisionStatus, Drop, Nothing, Profile } from './decision.js';
import { type ContactHistory, EMPTY_HISTORY, type PendingAction, takeEvent, withPending } from './history.js';
import { findOption } from './options.js';
import type { Policy } from './policy.js';
import { STEP_OF_REASON } from './reasons.js';
import { arm } from './steps/arm.js';
import { candidates, explainCandidates, findLapse } from './steps/candidates.js';
import { choice } from './steps/choice.js';
import { eligible } from './steps/eligible.js';
import { pickOption } from './steps/option.js';
import { reachable } from './steps/reachable.js';
import { type Plan, recordAction, recordExposures, recordWaiting, recordWithheld, toPlan } from './steps/record.js';
import { createContext, type Selection, type Step, type StepContext } from './steps/step.js';
import { suppressed } from './steps/suppressed.js';

/** Between the candidates and the choice; what waited is checked by them again. */
const CHECKS: readonly Step[] = [eligible, reachable, suppressed, arm];
const STEPS: readonly Step[] = [...CHECKS, choice];

/**
 * Decides the action, if any, for one profile and one cause: candidates (stage and trigger) -> eligible (condition) ->
 * reachable (permission of the channel) -> not suppressed (do-not-disturb, cooldown, caps) -> arm (holdouts) -> choice of
 * one -> option (where it has several) -> timing (now, or at the end of quiet hours) -> record. Pure. Nothing is a
 * decision too, with a reason.
 */
export function decideActions(policy: Policy, inputs: DecisionInputs): DecisionResult {
  const context = toContext(policy, inputs);
  const open = candidates(context);
  if (open.length === 0) return toNothing('no_candidate', context.history, []);
  return conclude(context, take(context, STEPS, { open, drops: [] }));
}

/** The same decision with the reason of every strategy of the policy that leads to no action. */
export function explainActions(policy: Policy, inputs: DecisionInputs): DecisionResult {
  const context = toContext(policy, inputs);
  return conclude(context, take(context, STEPS, explainCandidates(context)));
}

/**
 * Processes decisions that waited for the end of quiet hours and are due: each is published, deferred again, or dropped
 * if it expired or its reason is gone: a user who ordered at night gets no "we miss you" in the morning. Conditions
 * read current values, with the event that was the cause. At most one action per cause still holds: each keeps its own.
 */
export function releasePending(policy: Policy, profile: Profile): DecisionResult {
  const before = profile.history ?? EMPTY_HISTORY;
  const due = before.pending.filter(({ dueAtMs }) => dueAtMs <= profile.nowMs);
  if (due.length === 0) return toResult({ status: 'no_candidate', history: before });
  let history = withPending(
    before,
    before.pending.filter(({ dueAtMs }) => dueAtMs > profile.nowMs),
  );
  const results = due.map((pending) => {
    const result = release(policy, profile, pending, history);
    history = result.history;
    return result;
  });
  const decided = results.some(({ status }) => status === 'decided');
  const nothing = results.find((result) => result.nothing !== undefined)?.nothing;
  const exposures = results.flatMap((result) => result.exposures ?? []);
  const result = toResult({
    status: decided ? 'decided' : toLastStatus(results),
    decisions: results.flatMap(({ decisions }) => decisions),
    suppressed: results.flatMap((result) => result.suppressed),
    history,
    ...(nothing !== undefined && results.every((result) => result.nothing !== undefined) ? { nothing } : {}),
  });
  return exposures.length === 0 ? result : { ...result, exposures };
}

/** A status of several, none of them `decided`: that of the last one that passed all checks. */
function toLastStatus(results: readonly DecisionResult[]): DecisionStatus {
  const passed = results.findLast(({ nothing }) => nothing === undefined || nothing.step === 'timing');
  return passed?.status ?? 'suppressed';
}

function release(policy: Policy, profile: Profile, pending: PendingAction, history: ContactHistory): DecisionResult {
  const { causeId, event, causedAtMs, expiresAtMs, reasons, option } = pending;
  const cause = { causeId, event, transition: undefined, causedAtMs };
  const context = createContext({ policy, profile, cause, history });
  const strategy = policy.strategies.get(pending.strategy);
  const lapse = findLapse(context, strategy, pending);
  if (strategy === undefined || lapse !== undefined) {
    return toNothing('suppressed', history, [{ strategy: pending.strategy, reason: lapse ?? 'strategy_removed' }]);
  }
  const settled = (option && findOption(strategy, option.name)) ?? strategy;
  const selection = take(context, CHECKS, { open: [settled], drops: [] });
  return conclude(context, selection, { strategy: settled, expiresAtMs, reasons, option });
}

function toContext(policy: Policy, inputs: DecisionInputs): StepContext {
  const { causeId, event, transition, nowMs } = inputs;
  const cause = { causeId, event, transition, causedAtMs: nowMs };
  const before = inputs.history ?? EMPTY_HISTORY;
  // First, so that a complaint keeps its own record from acting, and a message that opens a window may be answered.
  const history = event === undefined ? before : takeEvent(before, policy, { name: event.name, atMs: nowMs });
  return createContext({ policy, profile: inputs, cause, history });
}

/** Takes the steps in order, as long as a strategy is open. */
function take(context: StepContext, steps: readonly Step[], from: Selection): Selection {
  let { open } = from;
  const drops = [...from.drops];
  let assignments: Selection['assignments'];
  for (const step of steps) {
    if (open.length === 0) break;
    const selection = step(context, open);
    drops.push(...selection.drops);
    open = selection.open;
    assignments ??= selection.assignments;
  }
  return assignments === undefined ? { open, drops } : { open, drops, assignments };
}

/** Times and records the one that is left, and what experiments had a say in it. */
function conclude(context: StepContext, selection: Selection, settled?: Plan): DecisionResult {
  const { assignments, drops } = selection;
  if (assignments === undefined) return concludeOpen(context, selection, settled);
  const result = concludeOpen({ ...context, history: recordWithheld(context, drops) }, selection, settled);
  return { ...result, exposures: recordExposures(context, assignments) };
}

function concludeOpen(context: StepContext, selection: Selection, settled?: Plan): DecisionResult {
  const { open, drops, assignments } = selection;
  const [strategy] = open;
  if (strategy === undefined) return toNothing('suppressed', context.history, drops, context.policy);
  const general = settled ?? toPlan(context, strategy);
  const picked = pickOption(context, strategy, general.expiresAtMs);
  if ('reason' in picked) {
    const drop = { strategy: strategy.name, reason: picked.reason };
    return toNothing('suppressed', context.history, [...drops, drop]);
  }
  const { dueAtMs, ...chosen } = picked;
  const plan = { ...general, ...chosen };
  if (dueAtMs !== undefined) {
    const history = recordWaiting(context, plan, dueAtMs);
    return toResult({ status: 'deferred', suppressed: drops, history });
  }
  const { decision, history } = recordAction(context, plan, assignments);
  return toResult({ status: 'decided', decisions: [decision], suppressed: drops, history });
}

/** Nothing, because of the step that was reached last. */
function toNothing(
  status: 'suppressed' | 'no_candidate',
  history: ContactHistory,
  drops: readonly Drop[],
  policy?: Policy,
): DecisionResult {
  const last = drops.at(-1);
  const nothing: Nothing =
    last === undefined ? { step: 'candidates', reason: 'no_strategy' } : toForemost(drops, last, policy);
  return toResult({ status, suppressed: drops, history, nothing });
}

/** Of those that the last step dropped, the one of highest priority: it was nearest to an action. */
function toForemost(drops: readonly Drop[], last: Drop, policy: Policy | undefined): Nothing {
  const step = STEP_OF_REASON[last.reason];
  const toPriority = ({ strategy }: Drop): number => policy?.strategies.get(strategy)?.priority ?? 0;
  let foremost = last;
  for (let index = drops.length - 2; index >= 0; index--) {
    const drop = drops[index] as Drop;
    if (STEP_OF_REASON[drop.reason] !== step) break;
    if (toPriority(drop) >= toPriority(foremost)) foremost = drop;
  }
  return { step, strategy: foremost.strategy, reason: foremost.reason };
}

const NONE: readonly never[] = [];

/** Written out: this runs for every score. */
function toResult({
  status,
  history,
  decisions = NONE,
  suppressed = NONE,
  nothing,
}: Pick<DecisionResult, 'status' | 'history'> & Partial<DecisionResult>): DecisionResult {
  const [next] = history.pending;
  if (next === undefined) {
    return nothing === undefined
      ? { status, decisions, suppressed, history }
      : { status, decisions, suppressed, nothing, history };
  }
  const retryAtMs = next.dueAtMs;
  return nothing === undefined
    ? { status, decisions, suppressed, history, retryAtMs }
    : { status, decisions, suppressed, nothing, history, retryAtMs };
}
