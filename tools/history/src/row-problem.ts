/** Why a row is bad: kinds that a report counts. */
export const ROW_PROBLEMS = {
  columns: 'another number of columns than the header has',
  quote: 'a quote that is out of place or never closes',
  length: 'a line that is too long',
  encoding: 'bytes that are not valid in the encoding',
  user: 'no user_id',
  id: 'no id in the column that names rows',
  type: 'no event_type',
  time: 'a ts that cannot be read',
  range: 'a ts that is in the future or before 1990',
  number: 'a number that cannot be read',
  order: 'a row that contradicts its order',
  size: 'an order that is too large for an event',
} as const;

export type RowProblemKind = keyof typeof ROW_PROBLEMS;

export interface RowProblem {
  readonly kind: RowProblemKind;
  /** With the value. */
  readonly reason: string;
}

export interface BadRow {
  readonly line: number;
  readonly reason: string;
}

export interface BadRows {
  readonly count: number;
  /** The first, by line. */
  readonly first: readonly BadRow[];
  /** The kinds that occurred, those with most rows first, each with its first rows. */
  readonly byKind: ReadonlyArray<{
    readonly kind: RowProblemKind;
    readonly what: string;
    readonly count: number;
    readonly first: readonly BadRow[];
  }>;
}

/** Bad rows that are kept with their reasons; all are counted. */
export const BAD_ROWS_KEPT_MAX = 100;
const BAD_ROWS_OF_A_KIND_KEPT_MAX = 3;
const VALUE_CHARS_MAX = 40;

/** Counts bad rows, and keeps the first of all and of each kind. */
export class BadRowCounter {
  readonly #first: BadRow[] = [];
  readonly #kinds = new Map<RowProblemKind, { count: number; first: BadRow[] }>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(line: number, { kind, reason }: RowProblem): void {
    this.#count++;
    const row = { line, reason };
    if (this.#first.length < BAD_ROWS_KEPT_MAX) this.#first.push(row);
    const known = this.#kinds.get(kind) ?? { count: 0, first: [] };
    known.count++;
    if (known.first.length < BAD_ROWS_OF_A_KIND_KEPT_MAX) known.first.push(row);
    this.#kinds.set(kind, known);
  }

  result(): BadRows {
    const byKind = [...this.#kinds].map(([kind, { count, first }]) => ({
      kind,
      what: ROW_PROBLEMS[kind],
      count,
      first: first.sort((a, b) => a.line - b.line),
    }));
    return {
      count: this.#count,
      first: this.#first.sort((a, b) => a.line - b.line),
      byKind: byKind.sort((a, b) => b.count - a.count),
    };
  }
}

/** A value as a message shows it: quoted, and cut. */
export function quoteValue(text: string): string {
  return JSON.stringify(text.length > VALUE_CHARS_MAX ? `${text.slice(0, VALUE_CHARS_MAX)}...` : text);
}
