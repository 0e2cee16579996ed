import type { Unmerge } from '@perennial/contracts';
import type { Leaving } from '@perennial/identity';
import type { Known } from './running-unmerge.js';

type Step = Pick<Unmerge, 'self' | 'step' | 'number' | 'attempt'>;

/**
 * Steps that clear what no ledger began: a forged record is held at an end, and makes a dead letter of the true beginning
 * there. The ledger must be the same after `known` was read: at that time both ends hold this unmerge, or none.
 */
export function toClearing({ entry, path, nodes }: Known): readonly Step[] {
  const isForged = ({ number, attempt }: Leaving) => number !== entry.number || attempt > entry.attempt;
  return [0, path.length - 1].flatMap((index): Step[] => {
    const leaving = nodes[index]?.leaving;
    if (leaving === undefined || !isForged(leaving)) return [];
    const { number, attempt } = leaving;
    return [{ self: path[index], step: index === 0 ? 'given_up' : 'abort', number, attempt }];
  });
}

/** The step with which the ledger begins it again; none where the profile that is left is without the other one already. */
export function toNextAttempt({ entry, path, nodes }: Known): readonly Step[] {
  const { number, attempt } = entry;
  const isParted = path.length < 2 || nodes.at(-1)?.parted?.left.includes(number);
  return isParted ? [] : [{ self: undefined, step: 'interrupted', number, attempt }];
}
