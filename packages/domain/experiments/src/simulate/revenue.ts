import { createSeededRandom } from '@perennial/kernel';
import { compareMeans } from '../effect.js';
import { adjustByBefore, createMoments, type Moments } from '../sample.js';
import { drawNormal } from './draw.js';
import { covers } from './shares.js';

export interface RevenueWorld {
  readonly seed: number;
  readonly runs: number;
  readonly looks: number;
  readonly personsPerArm: number;
  /** Share of persons who buy. */
  readonly buyers: number;
  readonly alpha: number;
}

/** Shares of runs, and of the variance. */
export interface RevenueFigures {
  readonly coverage: number;
  readonly falseAlarms: number;
  readonly adjustedCoverage: number;
  readonly adjustedFalseAlarms: number;
  /** Runs in which the time before differed between the arms, by the balance check. */
  readonly unbalanced: number;
  /** Mean over runs, as CUPED reports it. */
  readonly varianceReduction: number;
}

/** Amounts above this are cut off: the 99th percentile of a buyer's. */
const LIMIT = 310;
/** Of the logarithm of an order's amount: what the customer's own taste decides, and what chance does. */
const TASTE = 0.9;
const NOISE = 0.5;
const { exp, min } = Math;

/**
 * Two arms without any difference: few buy, amounts are log-normal, and who spent much before spends much again. The
 * winsorised revenue is compared as it is, and adjusted by what was spent before.
 */
export function simulateRevenue(world: RevenueWorld): RevenueFigures {
  const random = createSeededRandom(world.seed);
  const plan = { alpha: world.alpha, plannedPersons: 2 * world.personsPerArm };
  const found = { covered: 0, adjusted: 0, unbalanced: 0, reduction: 0 };
  for (let run = 0; run < world.runs; run += 1) {
    const [arm, control] = [createMoments(), createMoments()];
    const looked = { covered: true, adjusted: true, balanced: true, reduction: 0 };
    for (let look = 0; look < world.looks; look += 1) {
      const persons = Math.round(world.personsPerArm / world.looks);
      addPersons(arm, persons, { random, buyers: world.buyers });
      addPersons(control, persons, { random, buyers: world.buyers });
      const { samples, varianceReduction } = adjustByBefore([arm, control]);
      const [of = arm.values(), against = control.values()] = samples;
      looked.covered &&= covers(compareMeans(arm.values(), control.values(), plan), 0);
      looked.adjusted &&= covers(compareMeans(of, against, plan), 0);
      looked.balanced &&= covers(compareMeans(arm.before(), control.before(), plan), 0);
      looked.reduction = varianceReduction;
    }
    found.covered += Number(looked.covered);
    found.adjusted += Number(looked.adjusted);
    found.unbalanced += Number(!looked.balanced);
    found.reduction += looked.reduction;
  }
  const { runs } = world;
  return {
    coverage: found.covered / runs,
    // Without a difference, an interval that misses the truth is a false alarm.
    falseAlarms: (runs - found.covered) / runs,
    adjustedCoverage: found.adjusted / runs,
    adjustedFalseAlarms: (runs - found.adjusted) / runs,
    unbalanced: found.unbalanced / runs,
    varianceReduction: found.reduction / runs,
  };
}

function addPersons(moments: Moments, persons: number, world: { random: () => number; buyers: number }): void {
  const { random, buyers } = world;
  for (let person = 0; person < persons; person += 1) {
    // Whoever is no customer has spent nothing before and spends nothing now: no number need be drawn for it.
    if (random() >= 2 * buyers) moments.add(0, 0);
    else {
      const taste = 3 + TASTE * drawNormal(random);
      moments.add(drawAmount(taste, random), drawAmount(taste, random));
    }
  }
}

/** Half of the customers buy in a period. */
function drawAmount(taste: number, random: () => number): number {
  return random() < 0.5 ? 0 : min(LIMIT, exp(taste + NOISE * drawNormal(random)));
}
