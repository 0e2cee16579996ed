import { availableParallelism } from 'node:os';
import { FuzzThread } from './fuzz-thread.js';
import type { FailingCase, RangeResult } from './run-cases.js';

/** Small, so that the threads end together. */
const CASES_PER_RANGE = 50;

export interface FuzzOptions {
  readonly targets: readonly string[];
  /** First seed; each target runs the same seeds. */
  readonly first: number;
  /** Cases of each target. */
  readonly count: number;
  /** Stops at this many failures; default 1. */
  readonly failuresMax?: number;
  /** Checked before each range of cases. */
  readonly shouldStop?: () => boolean;
  readonly onRange?: (done: { readonly cases: number; readonly failures: number }) => void;
  readonly createThread?: () => FuzzThread;
}

export interface FuzzReport {
  readonly cases: Readonly<Record<string, number>>;
  /** How often each target came to each result. */
  readonly counts: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly failures: readonly FailingCase[];
}

/** Runs consecutive seeds of the targets in turn, a thread for each core. */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { targets, first, count, failuresMax = 1, shouldStop = () => false, onRange } = options;
  const { createThread = () => new FuzzThread() } = options;
  const totals = new Totals(targets);
  let given = 0;
  const work = async (thread: FuzzThread) => {
    while (given < count * targets.length && totals.failures.length < failuresMax && !shouldStop()) {
      const range = toRange({ targets, first, count }, given);
      given += range.count;
      totals.add(range.target, await thread.run(range));
      onRange?.({ cases: totals.casesTotal, failures: totals.failures.length });
    }
  };
  const threads = Array.from({ length: availableParallelism() }, createThread);
  try {
    await Promise.all(threads.map(work));
  } finally {
    await Promise.all(threads.map((thread) => thread.close()));
  }
  return totals.report();
}

/** The range that begins after `given` cases: the targets take turns, so that a run that is cut short has seen each. */
function toRange({ targets, first, count }: Pick<FuzzOptions, 'targets' | 'first' | 'count'>, given: number) {
  const perRound = CASES_PER_RANGE * targets.length;
  const round = Math.floor(given / perRound);
  const size = Math.min(CASES_PER_RANGE, count - round * CASES_PER_RANGE);
  const target = targets[Math.floor((given - round * perRound) / size)] as string;
  return { target, first: first + round * CASES_PER_RANGE, count: size };
}

class Totals {
  readonly #cases: Record<string, number>;
  readonly #counts: Record<string, Record<string, number>>;
  readonly failures: FailingCase[] = [];

  constructor(targets: readonly string[]) {
    this.#cases = Object.fromEntries(targets.map((target) => [target, 0]));
    this.#counts = Object.fromEntries(targets.map((target) => [target, {}]));
  }

  get casesTotal(): number {
    return Object.values(this.#cases).reduce((sum, cases) => sum + cases, 0);
  }

  add(target: string, { cases, counts, failures }: RangeResult): void {
    this.#cases[target] = (this.#cases[target] ?? 0) + cases;
    const own = this.#counts[target] ?? {};
    for (const [result, count] of Object.entries(counts)) own[result] = (own[result] ?? 0) + count;
    this.#counts[target] = own;
    this.failures.push(...failures);
  }

  report(): FuzzReport {
    const failures = [...this.failures].sort((a, b) => a.target.localeCompare(b.target) || a.seed - b.seed);
    return { cases: this.#cases, counts: this.#counts, failures };
  }
}
