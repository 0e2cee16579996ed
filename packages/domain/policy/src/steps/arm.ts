import { toUnitInterval } from '@perennial/kernel';
import { dropWhere, type Step } from './step.js';

/**
 * Those that the profile is not held out from. It comes after suppression, so that a holdout is counted only where there
 * would have been an action: those with one are then compared with those who would have got the same.
 */
export const arm: Step = ({ policy, profile }, open) =>
  dropWhere(open, (strategy) => {
    const { profileKey } = profile;
    if (isHeldOut(policy.holdoutShare, policy.salt, profileKey)) return 'global_holdout';
    return isHeldOut(strategy.holdoutShare, policy.salt, profileKey, strategy.name) ? 'strategy_holdout' : undefined;
  });

/** Deterministic: the same profiles for the same salt, on every machine and in every backfill. */
export function isHeldOut(share: number, salt: string, profileKey: string, strategy = ''): boolean {
  return share > 0 && toUnitInterval('holdout', salt, strategy, profileKey) < share;
}
