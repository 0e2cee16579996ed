import { AppError } from '@perennial/kernel';

/** One thing wrong with a configuration file, where it is, and what was probably meant. */
export interface Problem {
  readonly file: string;
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** The nearest right word, where there is one. */
  readonly suggestion?: string;
}

/** What parsing gives: the value, or every problem at once in the order of the file. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** The value, or `config_invalid` with every problem, one a line. */
export function requireValid<T>(parsed: Parsed<T>): T {
  if (parsed.ok) return parsed.value;
  throw new AppError('config_invalid', formatProblems(parsed.problems));
}

/** One problem as compilers print it: `policy.yaml:12:3: unknown key "strategys", did you mean "strategies"?` */
function formatProblem(problem: Problem): string {
  const hint = problem.suggestion === undefined ? '' : `, did you mean "${problem.suggestion}"?`;
  return `${problem.file}:${problem.line}:${problem.column}: ${problem.message}${hint}`;
}

/** All problems, one a line. */
export function formatProblems(problems: readonly Problem[]): string {
  return problems.map(formatProblem).join('\n');
}
