import { AppError } from '@perennial/kernel';

/** The columns of a history, under their default names; `--map` gives others. */
export const HISTORY_COLUMNS = [
  'user_id',
  'ts',
  'event_type',
  'item_id',
  'session_id',
  'order_id',
  'quantity',
  'value',
  'price',
  'order_total',
  'currency',
  'refund_total',
  'refund_ts',
  'extra',
  'id',
] as const;

export type HistoryColumn = (typeof HISTORY_COLUMNS)[number];

/** What a column of a history is read from. */
export type ColumnSource =
  | string
  /** The same text in every row. */
  | { readonly constant: string }
  /** `purchase`, or `return` where the number in this column is negative. */
  | { readonly signOf: string }
  /** The first of these columns that is not empty. */
  | { readonly anyOf: readonly string[] };

/** Where a column differs from the header name that is its own: a header name, or another source. */
export type ColumnMap = Readonly<Partial<Record<HistoryColumn, ColumnSource>>>;

const NAME = String.raw`(?:"(?:[^"]|"")*"|[^,|"'\s][^,|]*)`;
const SOURCE = String.raw`'(?:[^']|'')*'|sign\([^)]*\)|${NAME}(?:\|${NAME})*`;
const PAIR = new RegExp(String.raw`\s*([A-Za-z_]+)\s*=\s*(${SOURCE})\s*(?:,|$)`, 'y');

/**
 * Parses `column=source,...`: a source is a header name (in double quotes if it has a comma), names with `|` between
 * them, a constant in single quotes, or `sign(name)`. Throws `config_invalid` naming the mistake.
 */
export function parseColumnMap(text: string): ColumnMap {
  const map: Partial<Record<HistoryColumn, ColumnSource>> = {};
  PAIR.lastIndex = 0;
  while (PAIR.lastIndex < text.length) {
    const rest = text.slice(PAIR.lastIndex);
    const match = PAIR.exec(text);
    const source = match?.[2] === undefined ? undefined : parseSource(match[2].trim());
    if (match === null || source === undefined) {
      const pair = rest.split(',')[0] ?? '';
      throw new AppError(
        'config_invalid',
        `${JSON.stringify(pair)} is not column=name, column='constant' or column=sign(name)`,
      );
    }
    const column = parseColumn(match[1] ?? '');
    if (map[column] !== undefined) throw new AppError('config_invalid', `column ${column} is mapped twice`);
    map[column] = source;
  }
  return map;
}

function parseColumn(name: string): HistoryColumn {
  const column = HISTORY_COLUMNS.find((known) => known === name);
  if (column !== undefined) return column;
  const message = `there is no column ${JSON.stringify(name)}; columns are ${HISTORY_COLUMNS.join(', ')}`;
  throw new AppError('config_invalid', message);
}

function parseSource(text: string): ColumnSource | undefined {
  if (text === '') return undefined;
  if (text.startsWith("'")) return { constant: text.slice(1, -1).replaceAll("''", "'") };
  const sign = /^sign\((.*)\)$/.exec(text)?.[1]?.trim();
  if (sign !== undefined) return sign === '' ? undefined : { signOf: sign };
  const names = text.split('|').map((name) => unquote(name.trim()));
  if (names.includes('')) return undefined;
  return names.length === 1 ? names[0] : { anyOf: names };
}

function unquote(name: string): string {
  return name.length > 1 && name.startsWith('"') && name.endsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}

/** Keeps only the rows whose column has one of these values; names and values are compared without regard to case. */
export interface RowFilter {
  readonly column: string;
  readonly values: readonly string[];
}

/** Parses `--where "column=value|value"`; throws `config_invalid`. */
export function parseRowFilter(text: string): RowFilter {
  const at = text.indexOf('=');
  const column = unquote(text.slice(0, at).trim());
  const values = text
    .slice(at + 1)
    .split('|')
    .map((value) => value.trim());
  if (at > 0 && column !== '') return { column, values };
  throw new AppError('config_invalid', `${JSON.stringify(text)} is not column=value or column=value|value`);
}
