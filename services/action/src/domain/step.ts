import type { ScoreComputed } from '@perennial/contracts';
import {
  type ActionDecision,
  type ContactHistory,
  type DecisionResult,
  decideActions,
  EMPTY_HISTORY,
  type Policy,
  releasePending,
} from '@perennial/policy';
import type { ActionState } from './action-state.js';

/** The policy in force on a partition, and its number. */
export interface PolicyInForce {
  readonly policy: Policy;
  readonly number: number;
}

/** Whom an action is for, and what else goes into its record. */
export interface Recipient {
  readonly profileKey: string;
  readonly subject: Buffer;
  readonly modelHash: string;
}

export interface StepOutcome {
  readonly state: ActionState | undefined;
  readonly result: DecisionResult;
  readonly recipient: Recipient;
}

export interface StepPlace {
  readonly namespace: string;
  readonly profileKey: string;
  readonly logTimeMs: number;
}

/** Decides for one score. The time of the step is log time or the score's, whichever is later: it never goes back. */
export function decideForScore(
  policy: Policy,
  state: ActionState | undefined,
  computed: ScoreComputed,
  place: StepPlace,
): StepOutcome {
  const { features } = computed;
  const asOfMs = features?.asOfMs ?? 0;
  const event = features?.event;
  const nowMs = Math.max(place.logTimeMs, asOfMs);
  const result = decideActions(policy, {
    namespace: place.namespace,
    profileKey: place.profileKey,
    stage: computed.stage,
    nowMs,
    history: state?.history,
    timeZone: features?.timeZone ?? '',
    causeId: toCauseId(computed),
    transition: computed.transition,
    stageSinceMs: computed.stageSinceMs,
    scores: toScores(computed),
    features: features?.values ?? [],
    lastEventAtMs: features?.lastEventAtMs ?? nowMs,
    event,
  });
  const recipient = {
    profileKey: place.profileKey,
    subject: features?.subject ?? Buffer.alloc(0),
    modelHash: computed.modelHash,
  };
  const after = toState(state, result.history, {
    stage: computed.stage,
    subject: recipient.subject,
    timeZone: features?.timeZone ?? '',
    modelHash: computed.modelHash,
  });
  return { state: after, result, recipient };
}

/** Takes up what waited for the end of quiet hours. */
export function releaseWaiting(policy: Policy, state: ActionState, place: StepPlace): StepOutcome {
  const { stage, timeZone, history, subject, modelHash } = state;
  const result = releasePending(policy, {
    namespace: place.namespace,
    profileKey: place.profileKey,
    stage,
    nowMs: place.logTimeMs,
    history,
    timeZone,
  });
  const recipient = { profileKey: place.profileKey, subject, modelHash };
  return { state: { ...state, history: result.history }, result, recipient };
}

/**
 * What the score was computed for: a transition by its number; else the event by its id, or time alone. Not the record's
 * offset: a crash may publish records twice, and then what follows has other offsets than in an undisturbed run.
 */
export function toCauseId({ transition, features }: ScoreComputed): string {
  if (transition !== undefined) return `transition:${transition.number}`;
  const messageId = features?.event?.messageId;
  return messageId === undefined ? `score:${features?.asOfMs ?? 0}` : `score:${features?.asOfMs ?? 0}/${messageId}`;
}

/** `transition:3` as the kind and id of the edge record. */
export function toCause({ causeId }: Pick<ActionDecision, 'causeId'>): { kind: string; id: string } {
  const colon = causeId.indexOf(':');
  return { kind: causeId.slice(0, colon), id: causeId.slice(colon + 1) };
}

function toScores(computed: ScoreComputed) {
  if (computed.modelHash === '') return undefined;
  const { purchaseProbability, churnProbability, expectedSpend } = computed;
  return { purchase: purchaseProbability, churn: churnProbability, expectedSpend };
}

/** Stage, zone and subject are kept up to date only while something waits: else they would cost a write a record. */
function toState(
  before: ActionState | undefined,
  history: ContactHistory,
  current: Omit<ActionState, 'history'>,
): ActionState | undefined {
  if (history === (before?.history ?? EMPTY_HISTORY)) {
    const isCurrent =
      before === undefined ||
      history.pending.length === 0 ||
      (before.stage === current.stage &&
        before.timeZone === current.timeZone &&
        before.modelHash === current.modelHash &&
        before.subject.equals(current.subject));
    if (isCurrent) return before;
  }
  return { ...current, history };
}
