import { MUTANTS } from './mutants.js';
import { drawPlan, toWorldKind } from './plan.js';
import type { RuleName } from './rules.js';
import { simulate } from './simulate.js';

export interface SeedsOptions {
  readonly first: number;
  readonly count: number;
  /** Stops there; default 1. */
  readonly failuresMax?: number;
  readonly mutant?: RuleName;
  /** Checked before each seed. */
  readonly shouldStop?: () => boolean;
  readonly onSeed?: (done: { seeds: number; failures: number }) => void;
}

export interface FailingSeed {
  readonly seed: number;
  readonly violation: string;
  /** How often the mutant broke its rule in this world. */
  readonly broken: number;
}

export interface SeedsResult {
  /** Number of seeds run completely. */
  readonly seeds: number;
  readonly failures: readonly FailingSeed[];
}

/** Simulates the worlds of consecutive seeds, one after another (sixteen at once took 1.6 times the processor time). */
export async function runSeeds(options: SeedsOptions): Promise<SeedsResult> {
  const { first, count, failuresMax = 1, mutant, shouldStop = () => false, onSeed } = options;
  const failures: FailingSeed[] = [];
  let seeds = 0;
  while (seeds < count && failures.length < failuresMax && !shouldStop()) {
    // Unhandled rejections of a world surface here, and the caller can stop the run.
    await new Promise((resolve) => setImmediate(resolve));
    const seed = first + seeds;
    const only = mutant && MUTANTS[mutant]?.only;
    if (only !== undefined && only !== toWorldKind(seed)) {
      seeds++;
      continue;
    }
    const { violation, broken } = await simulate(drawPlan(seed), mutant === undefined ? {} : { mutant });
    seeds++;
    if (violation !== undefined) failures.push({ seed, violation, broken });
    onSeed?.({ seeds, failures: failures.length });
  }
  return { seeds, failures };
}

/** Text to print for a failing seed: how to reproduce it. */
export function toSeedReport({ seed, violation }: Pick<FailingSeed, 'seed' | 'violation'>): string {
  return `seed ${seed}: ${violation}\n  ./perennial simulate --seed ${seed}`;
}
