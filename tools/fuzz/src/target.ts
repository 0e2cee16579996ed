/** One case of a target: what it showed, and what was wrong with it. */
export interface CaseResult {
  /** What the case came to (`accepted`, a reason ...), for the report: a fuzzer that only ever sees one kind of result shows little. */
  readonly results: readonly string[];
  /** What was wrong, with the input that caused it; absent when all was right. */
  readonly problem?: string;
}

/** A kind of input from outside, with an independent account of what must come of it. */
export interface FuzzTarget {
  /** One line for the help. */
  readonly description: string;
  /** Draws the case of a seed and runs it. A throw is a problem too. Deterministic, but for the folder that a case may use. */
  run(seed: number): Promise<CaseResult> | CaseResult;
}
