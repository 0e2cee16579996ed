import { toEvidence, toReasons } from '@perennial/expressions';
import { toDeterministicId } from '@perennial/kernel';
import type { ActionDecision, Drop, Exposure } from '../decision.js';
import { addContact, type ChosenOption, type ContactHistory, withPending, withUse } from '../history.js';
import type { Strategy } from '../policy.js';
import type { Selection, StepContext } from './step.js';

/** What was settled when the cause came; a decision that waited keeps it. */
export interface Plan {
  readonly strategy: Strategy;
  readonly expiresAtMs: number;
  readonly reasons: readonly string[];
  /** Of a strategy with options, which of them `strategy` now is. */
  readonly option?: ChosenOption | undefined;
}

/** Which option was chosen changes nothing in it: one cause gives at most one action of a strategy. */
export function toActionId({ profile, cause }: StepContext, { name }: Strategy): string {
  return toDeterministicId('action', profile.namespace, profile.profileKey, cause.causeId, name);
}

export function toPlan(context: StepContext, strategy: Strategy): Plan {
  const { policy, profile, cause } = context;
  const trigger =
    cause.transition === undefined
      ? `is ${profile.stage}`
      : `became ${profile.stage}, was ${cause.transition.from || 'unknown'}`;
  const evidence = toEvidence(strategy.when?.reads ?? [], policy.variables, context.values());
  return { strategy, expiresAtMs: cause.causedAtMs + strategy.expiryMs, reasons: [trigger, ...toReasons(evidence)] };
}

/** The action, and the history with its contact. */
export function recordAction(
  context: StepContext,
  { strategy, expiresAtMs, reasons, option }: Plan,
  assignments: Selection['assignments'],
): { readonly decision: ActionDecision; readonly history: ContactHistory } {
  const { policy, profile, cause, history } = context;
  const experiment = policy.experimentOf.get(strategy.name);
  const assignment = experiment && assignments?.get(experiment.name);
  const decision: ActionDecision = {
    actionId: toActionId(context, strategy),
    strategy: strategy.name,
    channel: strategy.channel,
    template: strategy.template,
    parameters: strategy.parameters,
    cost: strategy.cost,
    stage: profile.stage,
    causeId: cause.causeId,
    reasons,
    decidedAtMs: profile.nowMs,
    expiresAtMs,
    ...toAbout(strategy),
    ...(option === undefined ? {} : { option }),
    ...(assignment === undefined ? {} : { assignment }),
  };
  const { channel, name, category } = strategy;
  const contact = { atMs: profile.nowMs, channel, strategy: name, category };
  return { decision, history: addContact(history, policy, contact) };
}

/** What the strategy says of itself; nothing where it says nothing, so that such actions stay what they were. */
function toAbout({ category, topic, purpose }: Strategy): Pick<ActionDecision, 'about'> {
  if (category === undefined && topic === undefined && purpose === undefined) return {};
  const about = {
    ...(category === undefined ? {} : { category }),
    ...(topic === undefined ? {} : { topic }),
    ...(purpose === undefined ? {} : { purpose }),
  };
  return { about };
}

/** The history with the decision waiting in it. */
export function recordWaiting(
  { cause, history }: StepContext,
  { strategy, expiresAtMs, reasons, option }: Plan,
  dueAtMs: number,
): ContactHistory {
  const { causeId, causedAtMs } = cause;
  const event = cause.event && { type: cause.event.type, name: cause.event.name };
  const chosen = option === undefined ? {} : { option };
  const pending = { strategy: strategy.name, causeId, event, causedAtMs, dueAtMs, expiresAtMs, reasons, ...chosen };
  return withPending(history, [...history.pending, pending]);
}

/** The experiments that had a say, whatever came of it. */
export function recordExposures(
  { policy, profile, cause }: StepContext,
  assignments: Selection['assignments'],
): readonly Exposure[] {
  const experiments = new Map([...policy.experimentOf.values()].map((experiment) => [experiment.name, experiment]));
  return [...(assignments?.values() ?? [])].map((assignment) => ({
    ...assignment,
    layer: experiments.get(assignment.experiment)?.layer ?? '',
    causeId: cause.causeId,
    atMs: profile.nowMs,
  }));
}

/**
 * The history with each strategy used that an arm withheld: its cooldown begins as if there had been an action, so that
 * the arms are exposed equally often. It is no contact.
 */
export function recordWithheld({ policy, profile, history }: StepContext, drops: readonly Drop[]): ContactHistory {
  const withheld = drops.filter(({ reason }) => reason === 'experiment_arm');
  return withheld.reduce((after, { strategy }) => withUse(after, policy, { strategy, atMs: profile.nowMs }), history);
}
