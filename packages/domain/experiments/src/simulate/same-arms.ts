import { createSeededRandom } from '@perennial/kernel';
import { assign } from '../assign.js';
import { compareShares } from '../effect.js';
import type { Experiment } from '../experiment.js';
import { createRatioTest } from '../ratio.js';

export interface SamePerson {
  readonly key: string;
  readonly converted: boolean;
}

export interface SameArmsFigures {
  /** Share of salts under which two arms that are the same looked different, and arms were of the wrong size. */
  readonly falseAlarms: number;
  readonly ratioAlarms: number;
}

/** The A/A check: the same persons, dealt to two equal arms by the real assignment under many salts, and looked at as they come. */
export function checkSameArms(
  persons: readonly SamePerson[],
  { salts, looks, alpha }: { readonly salts: number; readonly looks: number; readonly alpha: number },
): SameArmsFigures {
  const plan = { alpha, plannedPersons: persons.length };
  let falseAlarms = 0;
  let ratioAlarms = 0;
  for (let salt = 0; salt < salts; salt += 1) {
    const experiment = toSameArms(String(salt));
    const ratio = createRatioTest([1, 1]);
    const counts = [new Float64Array(2), new Float64Array(2)] as const;
    let isSignificant = false;
    persons.forEach(({ key, converted }, index) => {
      const arm = assign(experiment, key)?.arm === 'a' ? 0 : 1;
      ratio.add(arm);
      counts[arm][0] = (counts[arm][0] as number) + 1;
      counts[arm][1] = (counts[arm][1] as number) + Number(converted);
      if ((index + 1) % Math.ceil(persons.length / looks) !== 0) return;
      const [a, b] = counts.map(([count = 0, successes = 0]) => ({ persons: count, successes }));
      if (a !== undefined && b !== undefined) isSignificant ||= compareShares(a, b, plan).isSignificant;
    });
    falseAlarms += Number(isSignificant);
    ratioAlarms += Number(ratio.state().isMismatch);
  }
  return { falseAlarms: falseAlarms / salts, ratioAlarms: ratioAlarms / salts };
}

/** Persons of whom a share converts, from a seed. */
export function drawSamePersons(world: { seed: number; persons: number; baseline: number }): readonly SamePerson[] {
  const random = createSeededRandom(world.seed);
  return Array.from({ length: world.persons }, (_, index) => ({
    key: `p${index}`,
    converted: random() < world.baseline,
  }));
}

function toSameArms(salt: string): Experiment {
  const arms = ['a', 'b'].map((name) => ({ name, weight: 1 }));
  return { name: 'same', layer: 'same', salt, slice: { from: 0, to: 1 }, arms };
}
