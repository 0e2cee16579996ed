import { createSeededRandom } from '@perennial/kernel';
import { createRatioTest, RATIO_ALPHA } from '../ratio.js';

export interface RatioWorld {
  readonly seed: number;
  readonly runs: number;
  readonly persons: number;
  /** By which persons should be assigned, and by which they are. */
  readonly weights: readonly number[];
  readonly actual: readonly number[];
  readonly alpha?: number;
}

/** Share of runs in which the sample-ratio alarm was given at any person, not at looks alone. */
export function simulateRatio({ seed, runs, persons, weights, actual, alpha = RATIO_ALPHA }: RatioWorld): number {
  const random = createSeededRandom(seed);
  const total = actual.reduce((sum, weight) => sum + weight, 0);
  let alarms = 0;
  for (let run = 0; run < runs; run += 1) {
    const test = createRatioTest(weights, alpha);
    for (let person = 0; person < persons; person += 1) {
      let left = random() * total;
      let arm = 0;
      while (arm < actual.length - 1 && left >= (actual[arm] as number)) {
        left -= actual[arm] as number;
        arm += 1;
      }
      test.add(arm);
    }
    alarms += Number(test.state().isMismatch);
  }
  return alarms / runs;
}
