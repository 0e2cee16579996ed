import { type ScoreComputed, toAttributeValues } from '@perennial/contracts';
import type { ScoreVector } from '@perennial/expressions';
import { type CompiledFeatures, type FeatureSpecs, toConditionValues } from '@perennial/feature-engine';
import { AppError, must } from '@perennial/kernel';
import type { ModelManifest } from '@perennial/model-manifest';
import {
  type ActionDecision,
  type DecisionResult,
  decideActions,
  EMPTY_HISTORY,
  mergeLives,
  type Policy,
  type Profile,
  releasePending,
} from '@perennial/policy';
import { fromBits } from '@perennial/segments';
import type { ActionState, ProfileFacts } from './action-state.js';

/** The policy in force on a partition, and its number. */
export interface PolicyInForce {
  readonly policy: Policy;
  readonly number: number;
}

/** The profile that an action is for, and the further data of its record. */
export interface Recipient {
  readonly profileKey: string;
  readonly subject: Buffer;
  readonly modelHash: string;
  /** By head name; undefined while no model is in force. */
  readonly scores: ScoreVector | undefined;
}

export interface PolicyStep {
  readonly state: ActionState | undefined;
  readonly result: DecisionResult;
  readonly recipient: Recipient;
}

/** Inputs of a step besides the record: the policy in force, and the manifest of the model that made the scores. */
export interface Rules {
  readonly policy: Policy;
  readonly manifest: ModelManifest | undefined;
  /** Undefined while none are in force. */
  readonly segments: SegmentList | undefined;
}

/** The segments in force, by which those of a score are counted. */
export interface SegmentList {
  readonly names: readonly string[];
  readonly number: number;
}

export interface StepPlace {
  /** The feature spec in force; the policy's conditions are compiled for its vectors. */
  readonly spec: CompiledFeatures;
  readonly specs: FeatureSpecs;
  readonly namespace: string;
  readonly profileKey: string;
  readonly logTimeMs: number;
}

/**
 * Decides for one score. The step's time is log time or the score's, whichever is later: it never goes back. Throws
 * `contract_violation` for scores that do not fit the manifest, and segments that are not those in force.
 */
export function decideForScore(
  { policy, manifest, segments }: Rules,
  state: ActionState | undefined,
  computed: ScoreComputed,
  place: StepPlace,
): PolicyStep {
  const { stage, modelHash, features } = computed;
  const timeZone = features?.timeZone ?? '';
  const subject = features?.subject ?? Buffer.alloc(0);
  const facts = toFacts(computed, segments);
  const scores = toScores(facts, manifest);
  const { history, permissions } = state ?? {};
  const profile = toProfile(facts, { place, stage, timeZone, history, scores, permissions });
  const cause = { causeId: toCauseId(computed), transition: computed.transition, event: features?.event };
  const result = decideActions(policy, { ...profile, ...cause });
  const reported = { lives: toLives(state, result.decisions), permissions };
  const after = toState(state, { history: result.history, stage, subject, timeZone, modelHash, facts, ...reported });
  return { state: after, result, recipient: { profileKey: place.profileKey, subject, modelHash, scores } };
}

/** Processes the actions that waited for the end of quiet hours. */
export function releaseWaiting(
  { policy, manifest }: Omit<Rules, 'segments'>,
  state: ActionState,
  place: StepPlace,
): PolicyStep {
  const { stage, timeZone, subject, modelHash } = state;
  const facts = must(state.facts, 'the facts of a profile for which something waits');
  const scores = toScores(facts, manifest);
  const { history, permissions } = state;
  const result = releasePending(policy, toProfile(facts, { place, stage, timeZone, history, scores, permissions }));
  const recipient = { profileKey: place.profileKey, subject, modelHash, scores };
  return {
    state: toState(undefined, { ...state, history: result.history, lives: toLives(state, result.decisions) }),
    result,
    recipient,
  };
}

/** The profile at the time of a step: its stored context, with clock features moved to that time. */
function toProfile(
  facts: ProfileFacts,
  {
    place,
    ...known
  }: { place: StepPlace } & Pick<Profile, 'stage' | 'timeZone' | 'history' | 'scores' | 'permissions'>,
): Profile {
  const { namespace, profileKey, logTimeMs, spec, specs } = place;
  const { asOfMs, stageSinceMs, lastEventAtMs } = facts;
  const nowMs = Math.max(logTimeMs, asOfMs);
  const features = specs.toValues(facts, spec, nowMs);
  const segments = facts.segments && new Set(facts.segments);
  const attributes = toConditionValues(spec.attributes, specs.toAttributes(facts, spec), nowMs);
  return { namespace, profileKey, nowMs, features, attributes, stageSinceMs, lastEventAtMs, segments, ...known };
}

/** The scores by head name; undefined while no model is in force. */
function toScores({ scores }: ProfileFacts, manifest: ModelManifest | undefined): ScoreVector | undefined {
  if (scores === undefined || manifest === undefined) return undefined;
  if (scores.length !== manifest.heads.length) {
    throw new AppError(
      'contract_violation',
      `${scores.length} scores of the model ${manifest.name}, which has ${manifest.heads.length} heads`,
    );
  }
  return { slots: manifest.slots, values: scores };
}

/**
 * The cause of a score: a transition by its number; else the event by its id, a change of segments by its number, or time
 * alone, at most once for each time (tested in feature-store; scoring forwards updates caused by time alone under the time they came with). Not
 * the record's offset: a crash may publish records twice, and later offsets then differ from an undisturbed run.
 */
function toCauseId({ transition, features, segments }: ScoreComputed): string {
  if (transition !== undefined) return `transition:${transition.number}`;
  const messageId = features?.event?.messageId;
  const score = `score:${features?.asOfMs ?? 0}`;
  if (messageId !== undefined) return `${score}/${messageId}`;
  const changeNumber = segments?.changeNumber ?? 0;
  return changeNumber === 0 ? score : `segments:${changeNumber}`;
}

/** `transition:3` as the kind and id of the edge record. */
export function toCause({ causeId }: Pick<ActionDecision, 'causeId'>): { kind: string; id: string } {
  const colon = causeId.indexOf(':');
  return { kind: causeId.slice(0, colon), id: causeId.slice(colon + 1) };
}

function toFacts(computed: ScoreComputed, list: SegmentList | undefined): ProfileFacts {
  const { scores, features } = computed;
  return {
    asOfMs: features?.asOfMs ?? 0,
    specHash: features?.specHash ?? '',
    values: features?.values ?? [],
    attributes: toAttributeValues(features?.attributes ?? []),
    stageSinceMs: computed.stageSinceMs,
    lastEventAtMs: features?.lastEventAtMs ?? 0,
    scores: scores.length === 0 ? undefined : scores,
    segments: list && toSegments(computed, list),
  };
}

function toSegments({ segments }: ScoreComputed, { names, number }: SegmentList): readonly string[] {
  if (segments === undefined) return [];
  // A rollout comes before the first score that was made under it, so this is a defect and no race.
  if (segments.listNumber !== number) {
    throw new AppError('contract_violation', `segments of rollout ${segments.listNumber}, in force is ${number}`);
  }
  return [...fromBits(names, segments.members)];
}

/** The newest actions, with those that were decided now. */
function toLives(before: ActionState | undefined, decisions: readonly ActionDecision[]): ActionState['lives'] {
  if (decisions.length === 0) return before?.lives;
  const added = decisions.map(({ actionId, strategy, channel, decidedAtMs, expiresAtMs }) => {
    return { actionId, strategy, channel, decidedAtMs, expiresAtMs, outcomes: 0 };
  });
  return mergeLives(before?.lives ?? [], added);
}

/**
 * The state after a report that is no cause to act: what waits reads the newest facts when it is due, as after any
 * record.
 */
export function keepFacts(
  state: ActionState | undefined,
  computed: ScoreComputed,
  segments: SegmentList | undefined,
): ActionState | undefined {
  if (state === undefined || state.history.pending.length === 0 || computed.stage === '') return state;
  const { stage, modelHash } = computed;
  return { ...state, stage, modelHash, facts: toFacts(computed, segments) };
}

/** Everything but the history is updated only while an action waits: otherwise it would cost a write per record. */
function toState(before: ActionState | undefined, after: ActionState): ActionState | undefined {
  if (after.history.pending.length > 0) return after;
  if (after.history === (before?.history ?? EMPTY_HISTORY)) return before;
  return { ...after, facts: undefined };
}
