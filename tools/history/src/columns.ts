import { AppError } from '@perennial/kernel';

/** The columns of a history file, under their default names; `--map` gives others. */
const HISTORY_COLUMNS = ['user_id', 'ts', 'event_type', 'item_id', 'session_id', 'quantity', 'value', 'extra'] as const;

export type HistoryColumn = (typeof HISTORY_COLUMNS)[number];

/** Header name of a column, where it differs from the column's own name. */
export type ColumnMap = Readonly<Partial<Record<HistoryColumn, string>>>;

/** Index of each column in a row; absent ones are read as empty. */
export type ColumnPositions = Readonly<Partial<Record<HistoryColumn, number>>> & { readonly width: number };

const REQUIRED: readonly HistoryColumn[] = ['user_id', 'ts', 'event_type'];

/** Parses `column=name,column=name`; throws `config_invalid` naming the mistake. */
export function parseColumnMap(text: string): ColumnMap {
  const map: Partial<Record<HistoryColumn, string>> = {};
  for (const pair of text.split(',')) {
    const at = pair.indexOf('=');
    const column = pair.slice(0, at).trim();
    const name = pair.slice(at + 1).trim();
    if (at < 1 || name === '') throw new AppError('config_invalid', `${JSON.stringify(pair)} is not column=name`);
    if (!isHistoryColumn(column)) {
      throw new AppError(
        'config_invalid',
        `there is no column ${JSON.stringify(column)}; columns are ${HISTORY_COLUMNS.join(', ')}`,
      );
    }
    if (map[column] !== undefined) throw new AppError('config_invalid', `column ${column} is mapped twice`);
    map[column] = name;
  }
  return map;
}

/** Finds the columns in a header; throws `config_invalid` when a required or mapped one is missing. */
export function locateColumns(header: readonly string[], map: ColumnMap): ColumnPositions {
  const names = header.map((name) => name.trim());
  const positions: Partial<Record<HistoryColumn, number>> = {};
  const missing: string[] = [];
  for (const column of HISTORY_COLUMNS) {
    const name = map[column] ?? column;
    const at = names.indexOf(name);
    if (at >= 0) positions[column] = at;
    else if (map[column] !== undefined || REQUIRED.includes(column)) missing.push(name);
  }
  if (missing.length > 0) {
    const hint = names.length === 1 ? ' (only commas separate columns)' : '';
    throw new AppError(
      'config_invalid',
      `the header has no ${missing.join(', ')}${hint}; it has: ${names.join(', ')}. Other names: --map column=name,...`,
    );
  }
  return { ...positions, width: names.length };
}

function isHistoryColumn(name: string): name is HistoryColumn {
  return (HISTORY_COLUMNS as readonly string[]).includes(name);
}
