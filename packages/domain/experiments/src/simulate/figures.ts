import { toNormalQuantile } from '../normal.js';
import { type PowerPlan, planPersons, toBoundaries, toCrossing } from '../power.js';
import { simulateRatio } from './ratio.js';
import { type RevenueFigures, simulateRevenue } from './revenue.js';
import { checkSameArms, drawSamePersons, type SameArmsFigures } from './same-arms.js';
import { type ShareFigures, simulateShares } from './shares.js';

const ALPHA = 0.05;
const LOOKS = 30;
const QUESTION = { baseline: 0.05, mde: 0.01, arms: 2, power: 0.8, alpha: ALPHA, looks: LOOKS };

/** What the statistics do in worlds whose truth is known; each a share of its runs. */
export interface Figures {
  readonly seed: number;
  readonly runs: number;
  readonly looks: number;
  readonly alpha: number;
  /** Two arms of the same conversion, 5 %, 200 persons each a look. */
  readonly same: ShareFigures;
  /** Two arms of the same conversion, 2 %, 20 persons each a look: exact sequences. */
  readonly few: ShareFigures;
  /** 5 % against 6 %, with as many persons as planned for a power of 80 %. */
  readonly different: ShareFigures & { readonly plan: PowerPlan };
  /** Two arms of the same revenue. */
  readonly revenue: RevenueFigures;
  /** Alarms about the sizes of arms, at an alpha of 5 % and true weights 6:1:2:1; and of 55:45 that should be 1:1, at 1 %. */
  readonly sizes: { readonly falseAlarms: number; readonly found: number };
  /** The same persons, assigned by hash under 40 salts. */
  readonly sameArms: SameArmsFigures;
  /** Computed, not simulated: how often a sequence and a plain z test are significant without any difference. */
  readonly computed: { readonly sequence: number; readonly plain: number };
}

/** All figures of docs/EXPERIMENTS.md; the same seed gives the same figures on every machine. */
export function simulateFigures({ seed, runs }: { readonly seed: number; readonly runs: number }): Figures {
  const world = { runs, looks: LOOKS, alpha: ALPHA };
  const plan = planPersons(QUESTION);
  const { baseline, mde } = QUESTION;
  const sizes = { seed: seed + 4, persons: 3_000 };
  const persons = drawSamePersons({ seed: seed + 5, persons: 2_000, baseline: 0.2 });
  return {
    seed,
    ...world,
    same: simulateShares({ ...world, seed, personsPerLook: 200, baseline, difference: 0 }),
    few: simulateShares({
      ...world,
      runs: Math.ceil(runs / 4),
      seed: seed + 1,
      personsPerLook: 20,
      baseline: 0.02,
      difference: 0,
    }),
    different: {
      plan,
      ...simulateShares({
        ...world,
        seed: seed + 2,
        personsPerLook: Math.ceil(plan.personsPerArm / LOOKS),
        baseline,
        difference: mde,
      }),
    },
    revenue: simulateRevenue({ ...world, seed: seed + 3, personsPerArm: 1_500, buyers: 0.3 }),
    sizes: {
      falseAlarms: simulateRatio({ ...sizes, runs, weights: [6, 1, 2, 1], actual: [6, 1, 2, 1], alpha: ALPHA }),
      found: simulateRatio({ ...sizes, runs: Math.ceil(runs / 10), weights: [1, 1], actual: [55, 45] }),
    },
    sameArms: checkSameArms(persons, { salts: 40, looks: LOOKS, alpha: ALPHA }),
    computed: {
      sequence: toCrossing(toBoundaries(LOOKS, ALPHA), 0).probability,
      plain: toCrossing(Array(LOOKS).fill(toNormalQuantile(1 - ALPHA / 2)), 0).probability,
    },
  };
}
