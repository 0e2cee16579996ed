import { type Assignment, assign } from '@perennial/experiments';
import { toUnitInterval } from '@perennial/kernel';
import type { Strategy } from '../policy.js';
import { dropWhere, type Step, type StepContext } from './step.js';

/**
 * Those that the profile is not held out from, by a holdout or by its arm of an experiment. It comes after suppression, so that a
 * holdout is counted only where there would have been an action: those with one are then compared with those who would
 * have got the same.
 */
export const arm: Step = (context, open) => {
  const { policy, profile } = context;
  const { profileKey } = profile;
  const held = dropWhere(open, (strategy) => {
    if (isHeldOut(policy.holdoutShare, policy.salt, profileKey)) return 'global_holdout';
    return isHeldOut(strategy.holdoutShare, policy.salt, profileKey, strategy.name) ? 'strategy_holdout' : undefined;
  });
  if (policy.experimentOf.size === 0) return held;
  const assignments = assignAll(context, held.open);
  if (assignments.size === 0) return held;
  const allowed = dropWhere(held.open, ({ name }) => {
    const experiment = policy.experimentOf.get(name);
    const own = experiment && assignments.get(experiment.name);
    if (own === undefined) return undefined;
    const isAllowed = experiment?.arms.find((one) => one.name === own.arm)?.strategies.has(name) === true;
    return isAllowed ? undefined : 'experiment_arm';
  });
  return { open: allowed.open, drops: [...held.drops, ...allowed.drops], assignments };
};

/** The profile's arms in the experiments of what is open. */
function assignAll({ policy, profile }: StepContext, open: readonly Strategy[]): ReadonlyMap<string, Assignment> {
  const assignments = new Map<string, Assignment>();
  for (const { name } of open) {
    const experiment = policy.experimentOf.get(name);
    if (experiment === undefined || assignments.has(experiment.name)) continue;
    const assignment = assign(experiment, profile.profileKey);
    if (assignment !== undefined) assignments.set(experiment.name, assignment);
  }
  return assignments;
}

/** Deterministic: the same profiles for the same salt, on every machine and in every backfill. */
export function isHeldOut(share: number, salt: string, profileKey: string, strategy = ''): boolean {
  return share > 0 && toUnitInterval('holdout', salt, strategy, profileKey) < share;
}
