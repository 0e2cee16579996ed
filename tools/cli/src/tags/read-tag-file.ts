import { createReadStream } from 'node:fs';
import { findNearest } from '@perennial/expressions';
import { CsvReader } from '@perennial/history';
import { AppError, toMessage } from '@perennial/kernel';

const ROWS_MAX = 1_000_000;
const ID_CHARS_MAX = 256;
const OWNER_CHARS_MAX = 100;
/** Of a file with more problems the first ones are named. */
const PROBLEMS_MAX = 50;

const COLUMNS = ['user_id', 'tag', 'action', 'owner'] as const;
type Column = (typeof COLUMNS)[number];

/** Headers that other systems write. */
const OTHER_NAMES: Readonly<Record<string, Column>> = { id: 'user_id', userid: 'user_id', user: 'user_id' };

/** A row of a file of tags; `line` counts from 1, the header included. */
export interface TagRow {
  readonly line: number;
  readonly userId: string;
  readonly tag: string;
  readonly given: boolean;
  readonly owner: string;
}

export interface TagFileOptions {
  /** The tag of every row of a file without a column for it. */
  readonly tag?: string | undefined;
  /** Of rows that name none. */
  readonly owner: string;
  /** The tags that a list may give. */
  readonly declared: readonly string[];
}

/**
 * Reads a CSV file of tags: the columns `user_id` and `tag`, and if need be `action` (add or remove) and `owner`. Throws `config_invalid` with
 * the first 50 problems, each with its line and column.
 */
export async function readTagFile(file: string, options: TagFileOptions): Promise<readonly TagRow[]> {
  const table = new TagTable(file, options);
  try {
    let isFirst = true;
    for await (const chunk of createReadStream(file, 'utf8')) {
      const text = String(chunk);
      table.push(isFirst ? text.replace(/^\uFEFF/, '') : text);
      isFirst = false;
    }
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('config_invalid', `cannot read ${file}: ${toMessage(cause)}`, { cause });
  }
  return table.finish();
}

class TagTable {
  readonly #file: string;
  readonly #options: TagFileOptions;
  readonly #reader: CsvReader;
  readonly #rows: TagRow[] = [];
  readonly #problems: string[] = [];
  #problemCount = 0;
  #columns: ReadonlyMap<Column, number> | undefined;

  constructor(file: string, options: TagFileOptions) {
    this.#file = file;
    this.#options = options;
    this.#reader = new CsvReader({
      toSeparator: (first) => [';', '\t', ','].find((separator) => first.includes(separator)) ?? ',',
      onRecord: (fields, line) =>
        this.#columns === undefined ? this.#takeHeader(fields) : this.#takeRow(fields, line),
      onBadLine: (line, reason) => this.#report(line, `the line ${reason}`),
    });
  }

  push(text: string): void {
    this.#reader.push(text);
  }

  finish(): readonly TagRow[] {
    this.#reader.end();
    if (this.#columns === undefined) this.#report(1, 'the file is empty: its first line names the columns');
    if (this.#problemCount === 0) return this.#rows;
    const more = this.#problemCount - this.#problems.length;
    const problems = more === 0 ? this.#problems : [...this.#problems, `and ${more} problems more`];
    throw new AppError('config_invalid', problems.join('\n'));
  }

  #takeHeader(fields: readonly string[]): void {
    const columns = new Map<Column, number>();
    for (const [index, field] of fields.entries()) {
      const name = field.trim().toLowerCase();
      const column = COLUMNS.find((known) => known === name) ?? OTHER_NAMES[name];
      if (column === undefined) this.#report(1, `unknown column ${JSON.stringify(field)}${toHint(name, COLUMNS)}`);
      else if (columns.has(column)) this.#report(1, `the column ${column} stands twice`);
      else columns.set(column, index);
    }
    if (!columns.has('user_id')) this.#report(1, 'the column user_id is missing');
    if (columns.has('tag') === (this.#options.tag !== undefined)) {
      this.#report(
        1,
        columns.has('tag') ? 'it has a column tag, and --tag is given' : 'neither a column tag nor --tag is given',
      );
    }
    this.#columns = columns;
    if (this.#options.tag !== undefined) this.#checkTag(this.#options.tag, 1);
  }

  #takeRow(fields: readonly string[], line: number): void {
    if (this.#rows.length === ROWS_MAX) {
      throw new AppError('config_invalid', `${this.#file} has more than ${ROWS_MAX} rows: split it`);
    }
    const read = (column: Column) => fields[this.#columns?.get(column) ?? -1]?.trim() ?? '';
    if (fields.length !== this.#countColumns(fields)) {
      this.#report(line, `it has ${fields.length} fields, and the header ${this.#columns?.size}`);
      return;
    }
    const userId = read('user_id');
    if (userId === '') this.#report(line, 'column user_id: it is empty');
    if (userId.length > ID_CHARS_MAX)
      this.#report(line, `column user_id: it has ${userId.length} characters, ${ID_CHARS_MAX} at most`);
    const tag = this.#options.tag ?? read('tag');
    if (this.#options.tag === undefined) this.#checkTag(tag, line);
    const action = read('action').toLowerCase();
    if (!['', 'add', 'remove'].includes(action))
      this.#report(line, `column action: ${JSON.stringify(action)} is neither add nor remove`);
    const owner = read('owner') || this.#options.owner;
    if (owner.length > OWNER_CHARS_MAX)
      this.#report(line, `column owner: it has ${owner.length} characters, ${OWNER_CHARS_MAX} at most`);
    this.#rows.push({ line, userId, tag, given: action !== 'remove', owner });
  }

  /** A header with a problem has named fewer. */
  #countColumns(fields: readonly string[]): number {
    return this.#problemCount > 0 ? fields.length : (this.#columns?.size ?? 0);
  }

  #checkTag(tag: string, line: number): void {
    const { declared } = this.#options;
    if (declared.includes(tag)) return;
    const known = declared.length === 0 ? '; none is' : toHint(tag, declared);
    this.#report(
      line,
      `column tag: ${JSON.stringify(tag)} is not declared with kind imported in the segments in force${known}`,
    );
  }

  #report(line: number, problem: string): void {
    this.#problemCount += 1;
    if (this.#problems.length < PROBLEMS_MAX) this.#problems.push(`${this.#file}:${line}: ${problem}`);
  }
}

function toHint(word: string, known: readonly string[]): string {
  const nearest = findNearest(word, known);
  return nearest === undefined ? '' : `, did you mean "${nearest}"?`;
}
