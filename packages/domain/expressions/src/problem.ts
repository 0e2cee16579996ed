import { AppError } from '@perennial/kernel';
import { LineCounter } from 'yaml';

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

/** Problems listed of one file: more are not read at once, and each suggestion takes time. The rest is counted. */
const PROBLEMS_LISTED_MAX = 20;

/** Problems of one file while it is read. */
export class ProblemList {
  readonly lines = new LineCounter();
  readonly #listed: Problem[] = [];
  readonly #text: string;
  readonly #file: string;
  #firstUnlisted = Number.POSITIVE_INFINITY;
  count = 0;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
  }

  /** Adds a problem at an offset into the text; `suggest` is called only where the problem will be listed. */
  add(offset: number, message: string, suggest?: () => string | undefined): void {
    this.count++;
    if (this.#listed.length >= PROBLEMS_LISTED_MAX) {
      this.#firstUnlisted = Math.min(this.#firstUnlisted, offset);
      return;
    }
    const suggestion = suggest?.();
    this.#listed.push({
      ...this.#toPosition(offset),
      message,
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  }

  /** All that are listed, in the order of the file, and the number of the others. */
  toParsed(): { readonly ok: false; readonly problems: readonly Problem[] } {
    const problems = this.#listed.toSorted((a, b) => a.line - b.line || a.column - b.column);
    const unlisted = this.count - problems.length;
    if (unlisted === 0) return { ok: false, problems };
    const message = `and ${unlisted.toLocaleString('en-US')} more problems, the first of them here`;
    return { ok: false, problems: [...problems, { ...this.#toPosition(this.#firstUnlisted), message }] };
  }

  #toPosition(offset: number): Pick<Problem, 'file' | 'line' | 'column'> {
    const { line, col } = this.lines.linePos(Math.min(Math.max(offset, 0), this.#text.length));
    return { file: this.#file, line: Math.max(line, 1), column: Math.max(col, 1) };
  }
}

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
