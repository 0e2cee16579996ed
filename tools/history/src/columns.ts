import { AppError } from '@perennial/kernel';
import { suggestMap } from './column-hints.js';
import {
  type ColumnMap,
  type ColumnSource,
  HISTORY_COLUMNS,
  type HistoryColumn,
  type RowFilter,
} from './column-map.js';
import { describeSeparator } from './separator.js';

/** How a header is read: names of columns, what may be absent, and which rows count. */
export interface ColumnRules {
  readonly map?: ColumnMap | undefined;
  /** Mapped columns that a file may lack. */
  readonly optional?: ReadonlySet<HistoryColumn> | undefined;
  /** Used where the file has no such column. */
  readonly fallback?: ColumnMap | undefined;
  readonly where?: RowFilter | undefined;
}

/** Where a column's text is read from: an index in the row, a constant, the sign of a number, the first not empty. */
export type ColumnReader =
  | number
  | { readonly constant: string }
  | { readonly signAt: number }
  | { readonly anyAt: readonly number[] };

/** How to read the columns of a row; absent ones are empty. */
export interface Columns {
  readonly readers: Readonly<Partial<Record<HistoryColumn, ColumnReader>>>;
  readonly where: { readonly at: number; readonly name: string; readonly values: ReadonlySet<string> } | undefined;
  readonly width: number;
  /** Names in the header that nothing reads. */
  readonly unused: readonly string[];
}

const REQUIRED: readonly HistoryColumn[] = ['user_id', 'ts', 'event_type'];
/** Other names under which a column is found without being mapped. `id` is only read when it is named. */
const ALIASES: Readonly<Partial<Record<HistoryColumn, readonly string[]>>> = { item_id: ['product_id'] };
const KNOWN_EVENT_TYPES = ['purchase', 'return'];
const NAMES_SHOWN_MAX = 60;

/** Finds the columns in a header; throws `config_invalid` when one is missing, or is there twice. */
export function locateColumns(header: readonly string[], rules: ColumnRules, separator = ','): Columns {
  const names = header.map((name) => name.trim());
  const readers: Partial<Record<HistoryColumn, ColumnReader>> = {};
  const missing: string[] = [];
  for (const column of HISTORY_COLUMNS) {
    const reader = locateColumn(names, column, rules);
    if (typeof reader === 'string') missing.push(reader);
    else if (reader !== undefined) readers[column] = reader;
  }
  const where = rules.where === undefined ? undefined : locateFilter(names, rules.where, missing);
  if (missing.length > 0) throw new AppError('config_invalid', describeMissing(names, missing, { rules, separator }));
  const used = new Set([...Object.values(readers).flatMap(toIndexes), ...(where === undefined ? [] : [where.at])]);
  return { readers, where, width: names.length, unused: names.filter((name, at) => name !== '' && !used.has(at)) };
}

/** Whether all columns that a history needs are among the names. */
export function isComplete(header: readonly string[], rules: ColumnRules): boolean {
  const names = header.map((name) => name.trim());
  const isFound = (name: string) => names.some((known) => toPlain(known) === toPlain(name));
  if (rules.where !== undefined && !isFound(rules.where.column)) return false;
  return HISTORY_COLUMNS.every((column) => {
    const source = rules.map?.[column] ?? (REQUIRED.includes(column) ? column : undefined);
    if (source === undefined || rules.optional?.has(column) || rules.fallback?.[column] !== undefined) return true;
    return isKnownType(column, source) || toSourceNames(source).some(isFound) || toSourceNames(source).length === 0;
  });
}

/** The column's reader, undefined when it is absent and may be, or the name that is missing. */
function locateColumn(
  names: readonly string[],
  column: HistoryColumn,
  rules: ColumnRules,
): ColumnReader | string | undefined {
  const source = rules.map?.[column];
  if (source === undefined) {
    if (column === 'id') return undefined;
    const at = [column, ...(ALIASES[column] ?? [])].map((name) => findName(names, name)).find((found) => found >= 0);
    return at ?? toFallback(column, rules) ?? (REQUIRED.includes(column) ? column : undefined);
  }
  const reader = locateSource(names, source);
  if (typeof reader !== 'string') return reader;
  if (isKnownType(column, source)) return { constant: source };
  return toFallback(column, rules) ?? (rules.optional?.has(column) ? undefined : reader);
}

/** A shell takes the quotes off `event_type='purchase'`: no column called like that, so the type is meant. */
function isKnownType(column: HistoryColumn, source: ColumnSource): source is string {
  return column === 'event_type' && typeof source === 'string' && KNOWN_EVENT_TYPES.includes(source);
}

function locateSource(names: readonly string[], source: ColumnSource): ColumnReader | string {
  if (typeof source === 'string') {
    const at = findName(names, source);
    return at >= 0 ? at : source;
  }
  if ('constant' in source) return source;
  if ('signOf' in source) {
    const at = findName(names, source.signOf);
    return at >= 0 ? { signAt: at } : source.signOf;
  }
  const anyAt = source.anyOf.map((name) => findName(names, name)).filter((at) => at >= 0);
  return anyAt.length > 0 ? { anyAt } : source.anyOf.join(' or ');
}

function toFallback(column: HistoryColumn, { fallback }: ColumnRules): ColumnReader | undefined {
  const source = fallback?.[column];
  return typeof source === 'object' && 'constant' in source ? source : undefined;
}

function locateFilter(names: readonly string[], filter: RowFilter, missing: string[]): Columns['where'] {
  const at = findName(names, filter.column);
  if (at < 0) missing.push(filter.column);
  return { at, name: names[at] ?? '', values: new Set(filter.values.map((value) => value.toLowerCase())) };
}

/**
 * Index of a name, -1 when it is absent: the same text, else the only one that differs in nothing but case, blanks and
 * punctuation. Throws when two columns have it, since either could be meant.
 */
function findName(names: readonly string[], name: string): number {
  const same = toIndexesOf(names, (known) => known === name);
  const found = same.length > 0 ? same : toIndexesOf(names, (known) => toPlain(known) === toPlain(name));
  if (found.length <= 1) return found[0] ?? -1;
  const where = found.map((at) => `${at + 1} (${JSON.stringify(names[at])})`).join(' and ');
  throw new AppError(
    'config_invalid',
    `the header has ${JSON.stringify(name)} in columns ${where}: rename all but one`,
  );
}

function toIndexesOf(names: readonly string[], isWanted: (name: string) => boolean): number[] {
  return names.flatMap((name, at) => (isWanted(name) ? [at] : []));
}

function toPlain(name: string): string {
  const plain = name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
  return plain === '' ? name : plain;
}

function toSourceNames(source: ColumnSource): readonly string[] {
  if (typeof source === 'string') return [source];
  if ('constant' in source) return [];
  return 'signOf' in source ? [source.signOf] : source.anyOf;
}

function toIndexes(reader: ColumnReader): readonly number[] {
  if (typeof reader === 'number') return [reader];
  if ('constant' in reader) return [];
  return 'signAt' in reader ? [reader.signAt] : reader.anyAt;
}

function describeMissing(
  names: readonly string[],
  missing: readonly string[],
  { rules, separator }: { rules: ColumnRules; separator: string },
): string {
  const shown = names.slice(0, NAMES_SHOWN_MAX).join(', ');
  const more = names.length > NAMES_SHOWN_MAX ? `, and ${names.length - NAMES_SHOWN_MAX} more` : '';
  const single =
    names.length === 1
      ? ' It is one column only: if another character separates them, pass --separator.'
      : ` Columns are separated by ${describeSeparator(separator)}.`;
  const suggestion = suggestMap(names, missing, rules.map ?? {});
  const encoding = shown.includes('\uFFFD') ? ' It is not valid in this encoding: pass --encoding.' : '';
  return `the header has no ${missing.join(', ')}; it has: ${shown}${more}.${single}${encoding} ${suggestion}`;
}
