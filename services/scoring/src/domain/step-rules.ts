import type { FeaturesUpdated } from '@perennial/contracts';
import type { ScoreVector } from '@perennial/expressions';
import { type StageResult, type StageState, stepStage } from '@perennial/lifecycle';
import { type SegmentResult, stepSegments } from '@perennial/segments';
import type { ScoringEvidence } from './scoring-evidence.js';
import type { ProfileScores, ScoringState } from './state.js';

const DAY_MS = 86_400_000;

/** The numbers of a step; `event` is undefined for a timer. */
export interface StepFacts {
  readonly asOfMs: number;
  readonly values: readonly number[];
  readonly lastEventAtMs: number;
  readonly event: FeaturesUpdated['event'];
  readonly scores: ProfileScores | undefined;
}

/** The stage machine, if a chart is in force. */
export function stepChart(
  state: ScoringState | undefined,
  evidence: ScoringEvidence,
  facts: StepFacts,
): StageResult | undefined {
  if (evidence.lifecycle === undefined) return undefined;
  return stepStage(evidence.lifecycle.chart, state?.stage, {
    nowMs: facts.asOfMs,
    values: facts.values.map(toNullable),
    scores: toScoreVector(evidence, facts),
    cause: facts.event === undefined ? 'timer' : 'event',
    lastEventAtMs: facts.lastEventAtMs,
    event: facts.event,
  });
}

/** The segments, if some are in force. They see the stage after the step. */
export function stepProfileSegments(
  state: ScoringState | undefined,
  evidence: ScoringEvidence,
  facts: StepFacts & { readonly stage: StageState | undefined },
): SegmentResult | undefined {
  if (evidence.segments === undefined) return undefined;
  const { asOfMs, stage } = facts;
  return stepSegments(evidence.segments.rules, state?.segments, {
    nowMs: asOfMs,
    facts: {
      features: facts.values.map(toNullable),
      scores: toScoreVector(evidence, facts),
      stage: stage?.stage,
      daysInStage: stage && (asOfMs - stage.sinceMs) / DAY_MS,
      daysSinceEvent: (asOfMs - facts.lastEventAtMs) / DAY_MS,
      event: facts.event,
    },
  });
}

function toScoreVector({ model }: ScoringEvidence, { scores }: StepFacts): ScoreVector | undefined {
  return scores && model && { slots: model.manifest.slots, values: scores.values };
}

function toNullable(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
