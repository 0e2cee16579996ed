import type { FeaturesUpdated } from '@perennial/contracts';
import type { ScoreVector, Value } from '@perennial/expressions';
import { type StageResult, type StageState, stepStage } from '@perennial/lifecycle';
import { type SegmentResult, type SegmentState, stepSegments } from '@perennial/segments';
import type { ScoringEvidence } from './scoring-evidence.js';

const DAY_MS = 86_400_000;

/** What the rules of a step read; `event` is undefined for a timer. */
export interface StepFacts {
  readonly asOfMs: number;
  /** Null for no value. */
  readonly features: readonly (number | null)[];
  /** As conditions read them. */
  readonly attributes: readonly Value[];
  /** Those that it was given. */
  readonly tags: readonly string[] | undefined;
  readonly lastEventAtMs: number;
  readonly event: FeaturesUpdated['event'];
  readonly scores: ScoreVector | undefined;
}

/** The stage machine, if a chart is in force. */
export function stepChart(
  before: StageState | undefined,
  { lifecycle }: ScoringEvidence,
  { asOfMs, features, attributes, lastEventAtMs, event, scores }: StepFacts,
): StageResult | undefined {
  if (lifecycle === undefined) return undefined;
  const cause = event === undefined ? 'timer' : 'event';
  const inputs = { nowMs: asOfMs, values: features, attributes, scores, cause, lastEventAtMs, event } as const;
  return stepStage(lifecycle.rules, before, inputs);
}

/** The segments, if some are in force. They see the stage after the step. */
export function stepProfileSegments(
  before: SegmentState | undefined,
  { segments }: ScoringEvidence,
  {
    asOfMs,
    features,
    attributes,
    lastEventAtMs,
    event,
    scores,
    stage,
    tags,
  }: StepFacts & { readonly stage: StageState | undefined },
): SegmentResult | undefined {
  if (segments === undefined) return undefined;
  const facts = {
    features,
    attributes,
    scores,
    stage: stage?.stage,
    daysInStage: stage && (asOfMs - stage.sinceMs) / DAY_MS,
    daysSinceEvent: (asOfMs - lastEventAtMs) / DAY_MS,
    event,
  };
  return stepSegments(segments.rules, before, { nowMs: asOfMs, facts, given: tags && new Set(tags) });
}
