import { toMessage } from '@perennial/kernel';
import type { CaseResult, FuzzTarget } from './target.js';

/** Consecutive seeds of one target. */
export interface CaseRange {
  readonly target: string;
  readonly first: number;
  readonly count: number;
}

export interface FailingCase {
  readonly target: string;
  readonly seed: number;
  readonly problem: string;
}

/** What a range of cases came to. */
export interface RangeResult {
  readonly cases: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly failures: readonly FailingCase[];
}

/** Runs the cases one after another; `onCase` is called before each, with its index. */
export async function runCases(
  target: FuzzTarget,
  range: CaseRange,
  onCase: (index: number) => void,
): Promise<RangeResult> {
  const counts: Record<string, number> = {};
  const failures: FailingCase[] = [];
  for (let seed = range.first; seed < range.first + range.count; seed++) {
    onCase(seed - range.first);
    const { results, problem } = await runOne(target, seed);
    for (const result of results) counts[result] = (counts[result] ?? 0) + 1;
    if (problem !== undefined) failures.push({ target: range.target, seed, problem });
  }
  return { cases: range.count, counts, failures };
}

async function runOne(target: FuzzTarget, seed: number): Promise<CaseResult> {
  try {
    return await target.run(seed);
  } catch (error) {
    return { results: ['threw'], problem: `threw: ${toMessage(error)}` };
  }
}
