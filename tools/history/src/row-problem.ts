/** Why a row is bad: kinds that a report counts, each with what to pass or to look at. */
const ROW_PROBLEMS = {
  columns: {
    what: 'another number of columns than the header has',
    remedy: 'look at the separator (--separator) and at the quotes of those lines',
  },
  quote: {
    what: 'a quote that is out of position or never closes',
    remedy: 'look at the quotes of those lines: a quote within a quoted field is written twice',
  },
  length: { what: 'a line that is too long', remedy: 'look for a quote that never closes' },
  encoding: {
    what: 'bytes that are not valid in the encoding',
    remedy: 'name the encoding: --encoding windows-1252, or gbk, shift_jis, windows-1251 ...',
  },
  user: {
    what: 'no user_id',
    remedy: 'name the column with the customer: --map user_id=NAME, or user_id=NAME|OTHER where one may be empty',
  },
  id: {
    what: 'no id in the column that names rows',
    remedy: 'name another column with --id, or none: then the content of a row is its id',
  },
  type: {
    what: 'no event_type',
    remedy: `name the column with the type, --map event_type=NAME, or give it: --map "event_type='purchase'"`,
  },
  time: {
    what: 'a time that cannot be read',
    remedy:
      'say how times are written: --zone ZONE if they have none, --dates mdy or dmy for 1/12/2010, --serial for 40513.35',
  },
  range: {
    what: 'a time that is in the future or before 1990',
    remedy: 'look at those times, and at the mapping of ts',
  },
  number: {
    what: 'a number that cannot be read',
    remedy: 'say how numbers are written: --decimal . or --decimal ,',
  },
  order: {
    what: 'a value that contradicts its order',
    remedy: 'look at the mapping of order_id, order_total and currency',
  },
  size: {
    what: 'an order that is too large for an event',
    remedy: 'look at the mapping of order_id and session_id: too many rows are one order',
  },
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
    readonly remedy: string;
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
      ...ROW_PROBLEMS[kind],
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
