import type { Unmerge } from '@perennial/contracts';
import type { Leaving } from '@perennial/identity';
import type { Known } from './running-unmerge.js';

type Step = Pick<Unmerge, 'self' | 'step' | 'number' | 'attempt' | 'leaver'>;

/**
 * Asks the ledger to clear what it did not begin: a forged record is held at an end, and makes a dead letter of the true
 * beginning there. The ledger decides, in the order of its log: after a loss of Redis its state that was read may be behind
 * those of the ends by minutes, and a true unmerge looks forged.
 */
export function toClearing({ entry, path, nodes }: Known): readonly Step[] {
  const isForged = ({ number, attempt }: Leaving) => number !== entry.number || attempt > entry.attempt;
  return [0, path.length - 1].flatMap((index): Step[] => {
    const leaving = nodes[index]?.leaving;
    if (leaving === undefined || !isForged(leaving)) return [];
    const { number, attempt } = leaving;
    return [{ self: undefined, step: 'clear', number, attempt, leaver: path[index] }];
  });
}

/**
 * Asks that it begin again; none where what was read says that it is parted already. What says the contrary may be behind,
 * so that the profile that is left decides, in the order of its log: it is asked behind all that this attempt has sent it.
 */
export function toNextAttempt({ entry, path, nodes }: Known): readonly Step[] {
  const { number, attempt } = entry;
  const isParted = path.length < 2 || nodes.at(-1)?.parted?.left.includes(number);
  return isParted ? [] : [{ self: undefined, step: 'withdraw', number, attempt, leaver: path[0] }];
}
