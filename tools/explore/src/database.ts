import { AppError, toMessage } from '@perennial/kernel';

/** A cell of a result: SQL's numbers are doubles, lists are arrays. */
type Cell = number | string | boolean | null | readonly Cell[];
export type Row = Readonly<Record<string, Cell>>;

/** The port to the SQL engine. */
export interface Database {
  /**
   * Runs one statement and returns its rows. Throws `resource_exhausted` when memory or the temporary folder is full, and
   * `data_damaged` for any other failure: the statements are ours, so only the data can be wrong.
   */
  query(sql: string): Promise<readonly Row[]>;
  close(): void;
}

export interface DatabaseOptions {
  /** The only folders from which files are read. */
  readonly readFolders: readonly string[];
  /** For what does not fit into memory; exists, and is the caller's to remove. */
  readonly spillFolder: string;
  readonly memoryMb: number;
  readonly spillMaxGb: number;
  /** Undefined: one for each core. */
  readonly threads: number | undefined;
}

/**
 * DuckDB in this process, in memory. It reads the given folders and its temporary folder and nothing else: it installs
 * and loads no extensions, and its settings cannot be changed afterwards. Loading it takes a quarter of a second and 70
 * MB, so only commands that need it do.
 */
export async function openDuckDb(options: DatabaseOptions): Promise<Database> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    memory_limit: `${options.memoryMb}MiB`,
    temp_directory: options.spillFolder,
    max_temp_directory_size: `${options.spillMaxGb}GB`,
    preserve_insertion_order: 'false',
    ...(options.threads === undefined ? {} : { threads: String(options.threads) }),
  });
  const connection = await instance.connect();
  const folders = [...options.readFolders, options.spillFolder].map(toSqlText).join(', ');
  await connection.run(`SET allowed_directories = [${folders}]`);
  await connection.run('SET enable_external_access = false');
  await connection.run('SET lock_configuration = true');
  return {
    async query(sql) {
      try {
        const result = await connection.runAndReadAll(sql);
        return result.getRowObjectsJS().map((row) => toRow(row));
      } catch (error) {
        throw toQueryError(error);
      }
    },
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/** A text as a literal of SQL. DuckDB knows no escapes but the doubled quote. */
export function toSqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function toRow(row: Readonly<Record<string, unknown>>): Row {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, toCell(value)]));
}

function toCell(value: unknown): Cell {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean' || value === null)
    return value;
  if (Array.isArray(value)) return value.map(toCell);
  throw new AppError('contract_violation', `a result holds a ${typeof value}`);
}

function toQueryError(error: unknown): AppError {
  const message = toMessage(error);
  if (/^Out of Memory|max_temp_directory_size/i.test(message))
    return new AppError(
      'resource_exhausted',
      `DuckDB has not enough memory: give it more by --memory-mb, or less to read by --from and --to (${message})`,
      { cause: error },
    );
  return new AppError('data_damaged', `the archive cannot be read: ${message}`, { cause: error });
}
