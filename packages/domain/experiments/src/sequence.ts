import { toLogBeta } from './normal.js';

// Under Jest each use of a global is looked up through its sandbox, and these are in the innermost loops.
const { log, log1p, sqrt } = Math;

/** A confidence sequence's interval at one look. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Error that a sequence may spend over all its looks together, and where it is to be narrowest. */
export interface SequencePlan {
  readonly alpha: number;
  /** Persons of both arms together at which the interval is narrowest: fixed before the first look. */
  readonly plannedPersons: number;
}

/**
 * How many standard errors an interval reaches to each side at `persons`, so that over all looks, however many and
 * whenever, the truth lies outside of any of them with probability `alpha` at most: the normal mixture of Robbins (1970),
 * as asymptotic confidence sequence: Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, "Time-uniform central limit theory
 * and asymptotic confidence sequences" (2021), theorem 2.2; rho from its appendix B.2. Compare Howard, Ramdas, McAuliffe, Sekhon (2021), eq. 14.
 */
export function toMixtureBoundary(persons: number, { alpha, plannedPersons }: SequencePlan): number {
  const information = (persons / plannedPersons) * (-2 * log(alpha) + log(1 - 2 * log(alpha)));
  return sqrt(((2 * (information + 1)) / information) * log(sqrt(information + 1) / alpha));
}

/**
 * An exact confidence sequence for a probability, of `successes` in `trials`: all p that the beta-binomial mixture
 * martingale, with a uniform prior, does not reject at 1/alpha (Ville's inequality; Robbins 1970, Howard et al. 2021, section 3.1).
 * Valid from the first trial on, for rare successes too.
 */
export function toBetaBinomialInterval(successes: number, trials: number, alpha: number): Interval {
  const failures = trials - successes;
  const mixture = toLogBeta(1 + successes, 1 + failures);
  const isRejected = (p: number): boolean => mixture - successes * log(p) - failures * log1p(-p) >= -log(alpha);
  const estimate = trials === 0 ? 0.5 : successes / trials;
  return {
    low: successes === 0 ? 0 : bisect({ rejected: 0, kept: estimate }, isRejected),
    high: failures === 0 ? 1 : bisect({ rejected: 1, kept: estimate }, isRejected),
  };
}

function bisect(bounds: { rejected: number; kept: number }, isRejected: (p: number) => boolean): number {
  let { rejected, kept } = bounds;
  for (let step = 0; step < 60; step += 1) {
    const middle = (rejected + kept) / 2;
    if (isRejected(middle)) rejected = middle;
    else kept = middle;
  }
  return rejected;
}
