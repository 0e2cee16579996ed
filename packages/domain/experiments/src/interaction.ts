import type { Effect } from './effect.js';
import type { Sample } from './sample.js';
import { type SequencePlan, toMixtureBoundary } from './sequence.js';

/** Persons of two experiments of different layers: by the arm in the one and in the other; values are 0 or 1. */
export interface Crossed {
  /** Both arms of the one; the difference of the first to the second is its effect. */
  readonly inFirst: readonly [arm: Sample, control: Sample];
  /** The same among those who are in the other experiment's control. */
  readonly inControl: readonly [arm: Sample, control: Sample];
}

/** Successes and failures that each cell needs before its share counts as nearly normal, as for `compareShares`. */
const NORMAL_COUNT_MIN = 100;

/**
 * Whether one experiment's effect depends on the arm of another: the difference of its effects in the other's arm and
 * in its control, with a confidence sequence; `too_few` with an endless interval while a cell has few successes or failures.
 * Divide alpha by the number of pairs that are looked at.
 */
export function compareEffects({ inFirst, inControl }: Crossed, plan: SequencePlan): Effect {
  const cells = [...inFirst, ...inControl];
  const estimate = inFirst[0].mean - inFirst[1].mean - (inControl[0].mean - inControl[1].mean);
  if (cells.some(({ persons, nonZero }) => Math.min(nonZero, persons - nonZero) < NORMAL_COUNT_MIN)) {
    const [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    return { estimate, low, high, method: 'too_few', isSignificant: false };
  }
  const error = Math.sqrt(cells.reduce((sum, { variance, persons }) => sum + variance / persons, 0));
  const persons = cells.reduce((sum, cell) => sum + cell.persons, 0);
  const reach = toMixtureBoundary(persons, plan) * error;
  const [low, high] = [estimate - reach, estimate + reach];
  return { estimate, low, high, method: 'asymptotic', isSignificant: low > 0 || high < 0 };
}
