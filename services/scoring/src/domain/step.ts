import type { FeaturesUpdated, SegmentSet } from '@perennial/contracts';
import { encodeMessage, isBehaviour, ScoreRecord, toAttributes, toAttributeValues } from '@perennial/contracts';
import { type FeatureSpecs, type TravellingVector, toConditionValues } from '@perennial/feature-engine';
import { AppError } from '@perennial/kernel';
import type { Output, StepItem, StepResult } from '@perennial/keyed-processor';
import type { StageResult, StageTransition } from '@perennial/lifecycle';
import { type SegmentChange, toBits } from '@perennial/segments';
import type { ScoredModel, ScoringEvidence } from './scoring-evidence.js';
import type { ProfileScores, ScoringState } from './state.js';
import { type StepFacts, stepChart, stepProfileSegments } from './step-rules.js';

/** Topics of a step's outputs, and the encoders of the edge records. */
export interface StepTargets {
  readonly scoreTopic: string;
  toStageChanged(change: {
    key: string;
    subject: Buffer;
    transition: StageTransition;
    evidence: ScoringEvidence;
    scores: readonly number[];
  }): Output;
  /** A record for each change of one profile. */
  toSegmentChanged(step: {
    key: string;
    subject: Buffer;
    changes: readonly SegmentChange[];
    segmentsVersion: number;
  }): readonly Output[];
}

/** An item's vector as of a time, in the order of the spec in force; no values if none fit. */
export type ItemVector = Pick<ScoringEvidence, 'asOfMs' | 'spec' | 'values' | 'attributes'>;

/** An item's vector, moved to log time. It does not depend on the profile's state: one pass per batch computes it. */
export function toVector(item: StepItem<ScoringState, FeaturesUpdated>, specs: FeatureSpecs): ItemVector {
  const { cause, state, context } = item;
  const spec = specs.inForce(context.inForce.get('features'));
  const source = cause.kind === 'record' ? cause.input : state;
  if (source === undefined || !isReadable(source, specs)) {
    return { asOfMs: context.logTimeMs, spec, values: [], attributes: [] };
  }
  const asOfMs = Math.max(source.asOfMs, context.logTimeMs);
  const known = cause.kind === 'record' ? toAttributeValues(cause.input.attributes) : (state?.attributes ?? []);
  const attributes = specs.toAttributes({ specHash: source.specHash, attributes: known }, spec);
  return { asOfMs, spec, values: specs.toValues(source, spec, asOfMs), attributes };
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
  if (cause.kind === 'record' && isOnlyReported(state, cause.input)) {
    return { state, outputs: [{ topic: targets.scoreTopic, value: encodeReported(cause.input) }] };
  }
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
  const tags = cause.kind === 'record' ? cause.input.tags?.names : state?.tags;
  const scores = toProfileScores(evidence.model);
  const facts: StepFacts = {
    asOfMs,
    features: values.map((value) => (Number.isNaN(value) ? null : value)),
    attributes: toConditionValues(spec.attributes, evidence.attributes, asOfMs),
    tags,
    event,
    lastEventAtMs: source.lastEventAtMs,
    scores: scores && evidence.model && { slots: evidence.model.manifest.slots, values: scores.values },
  };
  const result = stepChart(state?.stage, evidence, facts);
  const stage = result?.state ?? state?.stage;
  const segments = stepProfileSegments(state?.segments, evidence, { ...facts, stage });
  const after: ScoringState = {
    asOfMs,
    specHash: spec.specHash,
    values,
    attributes: evidence.attributes,
    ...(tags && { tags }),
    lastEventAtMs: source.lastEventAtMs,
    subject: source.subject,
    timeZone: source.timeZone,
    stage,
    segments: segments?.state ?? state?.segments,
    nextCheckAtMs: toEarlier(result?.nextCheckAtMs, segments?.nextCheckAtMs),
    scores,
  };
  const outputs = listOutputs({ item, evidence, targets, after, event, result, changes: segments?.changes ?? [] });
  return { state: after, outputs, deadLetterCause: toProblem(evidence.model) };
}

/** True for what others report of a profile that has done nothing yet: it has no stage, and action gets it all the same. */
function isOnlyReported(state: ScoringState | undefined, { event, lastEventAtMs }: FeaturesUpdated): boolean {
  return state === undefined && lastEventAtMs === 0 && event?.notice !== undefined && !isBehaviour(event.type);
}

function encodeReported(features: FeaturesUpdated): Buffer {
  const none = { modelHash: '', scores: [], stage: '', stageSinceMs: 0, transition: undefined, segments: undefined };
  return encodeMessage(ScoreRecord, { record: { $case: 'computed', value: { ...none, features } } });
}

function toProfileScores(model: ScoredModel | undefined): ProfileScores | undefined {
  if (model === undefined || 'problem' in model.scores) return undefined;
  return { modelHash: model.hash, values: model.scores.values };
}

function toProblem(model: ScoredModel | undefined): string | undefined {
  return model !== undefined && 'problem' in model.scores ? model.scores.problem : undefined;
}

function toEarlier(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}

function listOutputs(parts: {
  item: StepItem<ScoringState, FeaturesUpdated>;
  evidence: ScoringEvidence;
  targets: StepTargets;
  after: ScoringState;
  event: FeaturesUpdated['event'];
  result: StageResult | undefined;
  changes: readonly SegmentChange[];
}): Output[] {
  const { item, evidence, targets, after, event, result } = parts;
  const { key } = item.context;
  const { subject } = after;
  const transition = result?.transition;
  const outputs: Output[] = [];
  const hasMoved = transition !== undefined || parts.changes.length > 0;
  // A timer that moved nothing emits nothing: the vector would differ by the clock alone.
  if (item.cause.kind === 'record' || hasMoved) {
    const segments = toSegmentSet(after, evidence, parts.changes);
    outputs.push({ topic: targets.scoreTopic, value: encodeScore(after, { event, transition, segments }) });
  }
  if (transition !== undefined) {
    outputs.push(targets.toStageChanged({ key, subject, transition, evidence, scores: after.scores?.values ?? [] }));
  }
  const segmentsVersion = evidence.segments?.number ?? 0;
  return [...outputs, ...targets.toSegmentChanged({ key, subject, changes: parts.changes, segmentsVersion })];
}

/** Nothing for a profile in no segment, as most are in small shops. */
function toSegmentSet(
  { segments: state }: ScoringState,
  { segments: inForce }: ScoringEvidence,
  changes: readonly SegmentChange[],
): SegmentSet | undefined {
  if (state === undefined || inForce === undefined || state.members.length + changes.length === 0) return undefined;
  const members = new Set(state.members.map(({ name }) => name));
  return {
    listNumber: inForce.number,
    members: toBits(inForce.rules.segments.keys(), members),
    changeNumber: changes.length === 0 ? 0 : state.number,
  };
}

function encodeScore(
  state: ScoringState,
  step: {
    readonly event: FeaturesUpdated['event'];
    readonly transition: StageTransition | undefined;
    readonly segments: SegmentSet | undefined;
  },
): Buffer {
  const { event, transition, segments } = step;
  const record: ScoreRecord = {
    record: {
      $case: 'computed',
      value: {
        modelHash: state.scores?.modelHash ?? '',
        scores: state.scores?.values.slice() ?? [],
        stage: state.stage?.stage ?? '',
        stageSinceMs: state.stage?.sinceMs ?? 0,
        transition: transition && { ...transition, reasons: [...transition.reasons] },
        features: {
          specHash: state.specHash,
          asOfMs: state.asOfMs,
          values: state.values.slice(),
          lastEventAtMs: state.lastEventAtMs,
          subject: state.subject,
          timeZone: state.timeZone,
          event,
          attributes: toAttributes(state.attributes),
        },
        segments,
      },
    },
  };
  return encodeMessage(ScoreRecord, record);
}
