import { AppError } from '@perennial/kernel';

/** One problem of a configuration file: what is wrong, its location, and the likely correction. */
export interface Problem {
  readonly file: string;
  /** Line and column, both counted from 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** The nearest valid word, if there is one. */
  readonly suggestion?: string;
}

/** Result of parsing: the value, or all problems in the order of the file. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Returns the value, or throws `config_invalid` with every problem, one per line. */
export function requireValid<T>(parsed: Parsed<T>): T {
  if (parsed.ok) return parsed.value;
  throw new AppError('config_invalid', formatProblems(parsed.problems));
}

/** Formats one problem as compilers do: `policy.yaml:12:3: unknown key "strategys", did you mean "strategies"?` */
function formatProblem(problem: Problem): string {
  const hint = problem.suggestion === undefined ? '' : `, did you mean "${problem.suggestion}"?`;
  return `${problem.file}:${problem.line}:${problem.column}: ${problem.message}${hint}`;
}

/** All problems, one per line. */
export function formatProblems(problems: readonly Problem[]): string {
  return problems.map(formatProblem).join('\n');
}
