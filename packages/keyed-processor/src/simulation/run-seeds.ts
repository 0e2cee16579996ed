import type { Breakage } from './breakage.js';
import { drawPlan } from './plan.js';
import { simulate } from './simulate.js';

export interface SeedsOptions {
  readonly first: number;
  readonly count: number;
  /** Stops there; default 1. */
  readonly failuresMax?: number;
  readonly breakage?: Breakage;
  /** Asked before each seed. */
  readonly shouldStop?: () => boolean;
  readonly onSeed?: (done: { seeds: number; failures: number }) => void;
}

export interface FailingSeed {
  readonly seed: number;
  readonly violation: string;
}

export interface SeedsResult {
  /** How many were run to their end. */
  readonly seeds: number;
  /** In order of seeds. */
  readonly failures: readonly FailingSeed[];
}

/** Worlds that share the turns of the event loop: what each costs by itself is much of the time (19 against 12 ms a seed). */
const WORLDS_AT_ONCE = 16;

/** Simulates the worlds of consecutive seeds. */
export async function runSeeds(options: SeedsOptions): Promise<SeedsResult> {
  const { first, count, failuresMax = 1, breakage, shouldStop = () => false, onSeed } = options;
  const failures: FailingSeed[] = [];
  let next = first;
  let seeds = 0;
  const work = async () => {
    while (next < first + count && failures.length < failuresMax && !shouldStop()) {
      const seed = next++;
      const { violation } = await simulate(drawPlan(seed), breakage === undefined ? {} : { breakage });
      seeds++;
      if (violation !== undefined) failures.push({ seed, violation });
      onSeed?.({ seeds, failures: failures.length });
    }
  };
  await Promise.all(Array.from({ length: WORLDS_AT_ONCE }, work));
  return { seeds, failures: failures.sort((a, b) => a.seed - b.seed) };
}

/** What to print of a failing seed: how to see it again. */
export function toSeedReport({ seed, violation }: FailingSeed): string {
  return `seed ${seed}: ${violation}\n  ./perennial simulate --seed ${seed}`;
}
