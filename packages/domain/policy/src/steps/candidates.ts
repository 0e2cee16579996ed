import type { PendingAction } from '../history.js';
import { findOption } from '../options.js';
import type { Strategy } from '../policy.js';
import type { DropReason } from '../reasons.js';
import { dropWhere, type Selection, type StepContext } from './step.js';

/** The strategies of this stage whose trigger the cause is. Those of other stages are not even looked at. */
export function candidates({ policy, profile, cause }: StepContext): readonly Strategy[] {
  const ofStage = policy.byStage.get(profile.stage) ?? [];
  return cause.transition === undefined ? ofStage.filter(({ on }) => on === 'scored') : ofStage;
}

/** The same out of all strategies, with the reason for each that is none: for explanations. */
export function explainCandidates({ policy, profile, cause }: StepContext): Selection {
  return dropWhere([...policy.strategies.values()], ({ stages, on }) => {
    if (!stages.has(profile.stage)) return 'other_stage';
    return on === 'scored' || cause.transition !== undefined ? undefined : 'not_entered';
  });
}

/** Why a decision that waited is no candidate any more; `strategy` is undefined when the policy lacks it now. */
export function findLapse(
  { profile }: StepContext,
  strategy: Strategy | undefined,
  pending: PendingAction,
): DropReason | undefined {
  if (strategy === undefined) return 'strategy_removed';
  if (pending.expiresAtMs <= profile.nowMs) return 'expired';
  if (!strategy.stages.has(profile.stage)) return 'stage_left';
  const { option } = pending;
  return option === undefined || findOption(strategy, option.name) !== undefined ? undefined : 'option_removed';
}
