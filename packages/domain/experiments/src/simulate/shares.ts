import { createSeededRandom } from '@perennial/kernel';
import { compareShares, type Effect, type Share } from '../effect.js';
import { toNormalQuantile } from '../normal.js';
import { createSuccessDraw } from './draw.js';

export interface ShareWorld {
  readonly seed: number;
  readonly runs: number;
  /** At equal distances; a run is looked at at each, and stops at none. */
  readonly looks: number;
  /** Of each arm. */
  readonly personsPerLook: number;
  readonly baseline: number;
  /** True difference of the arm to the control. */
  readonly difference: number;
  readonly alpha: number;
}

/** Shares of runs. */
export interface ShareFigures {
  /** In which the sequence was significant at some look: false alarms where the difference is 0, else power. */
  readonly significant: number;
  /** In which the truth lay within the interval at every look. */
  readonly coverage: number;
  /** In which a plain z test, looked at just as often, was significant at some look. */
  readonly plainSignificant: number;
}

/** Two arms with a conversion, look after look, over many runs. */
export function simulateShares(world: ShareWorld): ShareFigures {
  const random = createSeededRandom(world.seed);
  const quantile = toNormalQuantile(1 - world.alpha / 2);
  const plan = { alpha: world.alpha, plannedPersons: 2 * world.personsPerLook * world.looks };
  const drawArm = createSuccessDraw(random, world.personsPerLook, world.baseline + world.difference);
  const drawControl = createSuccessDraw(random, world.personsPerLook, world.baseline);
  const found = { significant: 0, covered: 0, plain: 0 };
  for (let run = 0; run < world.runs; run += 1) {
    const looked = { significant: false, covered: true, plain: false };
    let [arm, control]: [Share, Share] = [EMPTY, EMPTY];
    for (let look = 0; look < world.looks; look += 1) {
      arm = withMore(arm, world, drawArm());
      control = withMore(control, world, drawControl());
      const effect = compareShares(arm, control, plan);
      looked.significant ||= effect.isSignificant;
      looked.covered &&= covers(effect, world.difference);
      looked.plain ||= Math.abs(toZ(arm, control)) > quantile;
    }
    found.significant += Number(looked.significant);
    found.covered += Number(looked.covered);
    found.plain += Number(looked.plain);
  }
  const { runs } = world;
  return {
    significant: found.significant / runs,
    coverage: found.covered / runs,
    plainSignificant: found.plain / runs,
  };
}

const EMPTY: Share = { persons: 0, successes: 0 };

function withMore({ persons, successes }: Share, { personsPerLook }: ShareWorld, more: number): Share {
  return { persons: persons + personsPerLook, successes: successes + more };
}

/** The two-sample z statistic with a pooled variance. */
function toZ(arm: Share, control: Share): number {
  const pooled = (arm.successes + control.successes) / (arm.persons + control.persons);
  const error = Math.sqrt(pooled * (1 - pooled) * (1 / arm.persons + 1 / control.persons));
  return error === 0 ? 0 : (arm.successes / arm.persons - control.successes / control.persons) / error;
}

export function covers({ low, high }: Effect, truth: number): boolean {
  return low <= truth && truth <= high;
}
