import type { Sample } from './sample.js';
import { type Interval, type SequencePlan, toBetaBinomialInterval, toMixtureBoundary } from './sequence.js';

/** Difference of an arm to the control, with its confidence sequence as of now. */
export interface Effect extends Interval {
  readonly estimate: number;
  /** `exact` sequences are valid from the first person on; `asymptotic` ones are narrower and need numbers. */
  readonly method: 'exact' | 'asymptotic' | 'too_few';
  /** The truth is not 0, as sure as alpha says, at whatever look this is first seen. */
  readonly isSignificant: boolean;
}

export interface Share {
  readonly persons: number;
  readonly successes: number;
}

/** Of alpha, what the exact sequence may spend before the asymptotic one takes over; both together spend alpha. */
const EXACT_SHARE = 0.2;
/** Successes and failures that each arm needs before its share counts as nearly normal. */
const NORMAL_COUNT_MIN = 100;
/** Persons with another value than 0 that each arm needs before its mean counts as nearly normal. */
const NON_ZERO_MIN = 100;

/** Alpha of the asymptotic part of a share's sequence. */
export function toAsymptoticAlpha(alpha: number): number {
  return alpha * (1 - EXACT_SHARE);
}

/**
 * Difference of two shares (conversion, retention, unsubscribes). While an arm has few successes or failures: the
 * difference of two exact sequences, each at half of their part of alpha; then the asymptotic one. As each spends a part of
 * alpha of its own, the moment of the change may depend on the data.
 */
export function compareShares(arm: Share, control: Share, plan: SequencePlan): Effect {
  const estimate = toShare(arm) - toShare(control);
  if ([arm, control].every(isNearlyNormal)) {
    const error = Math.sqrt(toShareVariance(arm) / arm.persons + toShareVariance(control) / control.persons);
    const boundary = toMixtureBoundary(arm.persons + control.persons, {
      ...plan,
      alpha: toAsymptoticAlpha(plan.alpha),
    });
    return toEffect(estimate, { low: estimate - boundary * error, high: estimate + boundary * error }, 'asymptotic');
  }
  const [of, against] = [arm, control].map(({ successes, persons }) =>
    toBetaBinomialInterval(successes, persons, (plan.alpha * EXACT_SHARE) / 2),
  ) as [Interval, Interval];
  return toEffect(estimate, { low: of.low - against.high, high: of.high - against.low }, 'exact');
}

/** Difference of two means (revenue). `too_few` with an endless interval while an arm has too few values other than 0. */
export function compareMeans(arm: Sample, control: Sample, plan: SequencePlan): Effect {
  const estimate = arm.mean - control.mean;
  if ([arm, control].some(({ nonZero }) => nonZero < NON_ZERO_MIN)) {
    return toEffect(estimate, { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }, 'too_few');
  }
  const error = Math.sqrt(arm.variance / arm.persons + control.variance / control.persons);
  const boundary = toMixtureBoundary(arm.persons + control.persons, plan);
  return toEffect(estimate, { low: estimate - boundary * error, high: estimate + boundary * error }, 'asymptotic');
}

/**
 * Whether a harm (unsubscribes, complaints) has grown by more than is tolerated: `breached` when the sequence lies above
 * the tolerance, `safe` when below it, else `open`.
 */
export function toGuardrailState(effect: Effect, toleratedIncrease: number): 'breached' | 'safe' | 'open' {
  if (effect.low > toleratedIncrease) return 'breached';
  return effect.high <= toleratedIncrease ? 'safe' : 'open';
}

function toEffect(estimate: number, { low, high }: Interval, method: Effect['method']): Effect {
  return { estimate, low, high, method, isSignificant: low > 0 || high < 0 };
}

function isNearlyNormal({ persons, successes }: Share): boolean {
  return Math.min(successes, persons - successes) >= NORMAL_COUNT_MIN;
}

function toShare({ persons, successes }: Share): number {
  return persons === 0 ? 0 : successes / persons;
}

function toShareVariance(share: Share): number {
  return toShare(share) * (1 - toShare(share));
}
