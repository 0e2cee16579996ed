import type { FeaturesUpdated } from '@perennial/contracts';
import { encodeMessage, ScoreRecord } from '@perennial/contracts';
import type { CompiledFeatures, FeatureSpecs, TravellingVector } from '@perennial/feature-engine';
import { AppError } from '@perennial/kernel';
import type { Output, StepItem, StepResult } from '@perennial/keyed-processor';
import type { Lifecycle, StageResult, StageTransition, TransitionCause } from '@perennial/lifecycle';
import { stepStage } from '@perennial/lifecycle';
import type { CheckedScores, ModelManifest } from '@perennial/model-manifest';
import type { ProfileScores, ScoringState } from './state.js';

/** Result of `prepare` for one item: the vector at the step's time, the scores, and the artifacts in force. */
export interface ScoringEvidence {
  readonly asOfMs: number;
  /** The spec in force, which defines the order of `values`. */
  readonly spec: CompiledFeatures;
  readonly values: readonly number[];
  /** Undefined while no model is in force. */
  readonly model: ScoredModel | undefined;
  /** Undefined while no chart is in force. */
  readonly lifecycle: { readonly chart: Lifecycle; readonly number: number } | undefined;
}

/** A model in force, and its result for one item: a number per head, or why there is none. */
export interface ScoredModel {
  /** Hash of the manifest. */
  readonly hash: string;
  readonly manifest: ModelManifest;
  readonly scores: CheckedScores;
}

/** Topics of a step's outputs, and the encoder of a transition's edge record. */
export interface StepTargets {
  readonly scoreTopic: string;
  toStageChanged(change: {
    key: string;
    subject: Buffer;
    transition: StageTransition;
    evidence: ScoringEvidence;
    scores: readonly number[];
  }): Output;
}

/** An item's vector as of a time, in the order of the spec in force; no values if none fit. */
export type ItemVector = Pick<ScoringEvidence, 'asOfMs' | 'spec' | 'values'>;

/** An item's vector, moved to log time. It does not depend on the profile's state: one pass per batch computes it. */
export function toVector(item: StepItem<ScoringState, FeaturesUpdated>, specs: FeatureSpecs): ItemVector {
  const { cause, state, context } = item;
  const spec = specs.inForce(context.inForce.get('features'));
  const source = cause.kind === 'record' ? cause.input : state;
  if (source === undefined || !isReadable(source, specs)) return { asOfMs: context.logTimeMs, spec, values: [] };
  const asOfMs = Math.max(source.asOfMs, context.logTimeMs);
  return { asOfMs, spec, values: specs.toValues(source, spec, asOfMs) };
}

function isReadable({ specHash, values }: TravellingVector, specs: FeatureSpecs): boolean {
  return specs.find(specHash)?.names.length === values.length;
}

/**
 * One step of one profile. Input: a new vector or a timer. Output: the scores, and a transition if one is due. A row that
 * the model fails on gets no scores: the stage goes on as without a model, and the record is dead-lettered too.
 */
export function stepProfile(
  item: StepItem<ScoringState, FeaturesUpdated>,
  evidence: ScoringEvidence,
  targets: StepTargets,
): StepResult<ScoringState> {
  const { state, cause } = item;
  const source = cause.kind === 'record' ? cause.input : state;
  // A timer without a state: another record of this batch removed it.
  if (source === undefined) return { state, outputs: [] };
  const { spec } = evidence;
  if (evidence.values.length !== spec.names.length) {
    const found = `a vector of ${source.values.length} features under spec ${source.specHash}`;
    throw new AppError('contract_violation', `${found}, in force is ${spec.specHash}`);
  }
  // A profile's time never goes back, whatever times its records have.
  const asOfMs = Math.max(evidence.asOfMs, state?.asOfMs ?? 0);
  const values =
    asOfMs === evidence.asOfMs
      ? evidence.values
      : spec.advanceClock(evidence.values, { fromMs: evidence.asOfMs, toMs: asOfMs });
  const event = cause.kind === 'record' ? cause.input.event : undefined;
  const facts = { asOfMs, values, event, lastEventAtMs: source.lastEventAtMs };
  const scores = toProfileScores(evidence.model);
  const result = stepChart(state, evidence, { ...facts, scores, cause: event === undefined ? 'timer' : 'event' });
  const after: ScoringState = {
    asOfMs,
    specHash: spec.specHash,
    values,
    lastEventAtMs: source.lastEventAtMs,
    subject: source.subject,
    timeZone: source.timeZone,
    stage: result?.state ?? state?.stage,
    nextCheckAtMs: result?.nextCheckAtMs,
    scores,
  };
  const outputs = listOutputs({ item, evidence, targets, after, event, result });
  return { state: after, outputs, deadLetterCause: toProblem(evidence.model) };
}

function toProfileScores(model: ScoredModel | undefined): ProfileScores | undefined {
  if (model === undefined || 'problem' in model.scores) return undefined;
  return { modelHash: model.hash, values: model.scores.values };
}

function toProblem(model: ScoredModel | undefined): string | undefined {
  return model !== undefined && 'problem' in model.scores ? model.scores.problem : undefined;
}

function stepChart(
  state: ScoringState | undefined,
  evidence: ScoringEvidence,
  facts: {
    asOfMs: number;
    values: readonly number[];
    lastEventAtMs: number;
    event: FeaturesUpdated['event'];
    scores: ProfileScores | undefined;
    cause: TransitionCause;
  },
): StageResult | undefined {
  if (evidence.lifecycle === undefined) return undefined;
  return stepStage(evidence.lifecycle.chart, state?.stage, {
    nowMs: facts.asOfMs,
    values: facts.values.map((value) => (Number.isNaN(value) ? null : value)),
    scores: facts.scores && evidence.model && { slots: evidence.model.manifest.slots, values: facts.scores.values },
    cause: facts.cause,
    lastEventAtMs: facts.lastEventAtMs,
    event: facts.event,
  });
}

function listOutputs(parts: {
  item: StepItem<ScoringState, FeaturesUpdated>;
  evidence: ScoringEvidence;
  targets: StepTargets;
  after: ScoringState;
  event: FeaturesUpdated['event'];
  result: StageResult | undefined;
}): Output[] {
  const { item, evidence, targets, after, event, result } = parts;
  const transition = result?.transition;
  // A timer that moved nothing emits nothing: the vector would differ by the clock alone.
  if (item.cause.kind === 'timer' && transition === undefined) return [];
  const scored: Output = { topic: targets.scoreTopic, value: encodeScore(after, event, transition) };
  if (transition === undefined) return [scored];
  const { key } = item.context;
  const change = { key, subject: after.subject, transition, evidence, scores: after.scores?.values ?? [] };
  return [scored, targets.toStageChanged(change)];
}

function encodeScore(
  state: ScoringState,
  event: FeaturesUpdated['event'],
  transition: StageTransition | undefined,
): Buffer {
  const record: ScoreRecord = {
    record: {
      $case: 'computed',
      value: {
        modelHash: state.scores?.modelHash ?? '',
        scores: [...(state.scores?.values ?? [])],
        stage: state.stage?.stage ?? '',
        stageSinceMs: state.stage?.sinceMs ?? 0,
        transition: transition && { ...transition, reasons: [...transition.reasons] },
        features: {
          specHash: state.specHash,
          asOfMs: state.asOfMs,
          values: [...state.values],
          lastEventAtMs: state.lastEventAtMs,
          subject: state.subject,
          timeZone: state.timeZone,
          event,
        },
      },
    },
  };
  return encodeMessage(ScoreRecord, record);
}
