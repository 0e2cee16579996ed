import { toUnitInterval } from '@perennial/kernel';
import type { Strategy } from '../policy.js';
import { dropWhere, type Step, type StepContext } from './step.js';

/** One of them: of the highest priority (then the first in the file), or drawn by weight. */
export const choice: Step = (context, open) => {
  if (open.length <= 1) return { open, drops: [] };
  const chosen = choose(context, open);
  return dropWhere(open, (strategy) => (strategy === chosen ? undefined : 'outranked'));
};

function choose({ policy, profile, cause }: StepContext, open: readonly Strategy[]): Strategy | undefined {
  if (policy.choice === 'priority') return open.reduce((best, next) => (next.priority > best.priority ? next : best));
  const total = open.reduce((sum, { weight }) => sum + weight, 0);
  let left = toUnitInterval('choice', policy.salt, profile.profileKey, cause.causeId) * total;
  const drawn = open.find(({ weight }) => {
    left -= weight;
    return left < 0;
  });
  return drawn ?? open.at(-1);
}
