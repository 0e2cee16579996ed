import { AppError } from '@perennial/kernel';
import { toPostgresError } from './errors.js';
import type { Pool, PoolClient } from './pool.js';

/** The types of SQL parameters. */
export type SqlValue = string | number | boolean | Date | null | readonly string[];

const UNIQUE_VIOLATION = '23505';
const UNDEFINED_TABLE = '42P01';

/**
 * Runs one statement and returns its rows. Throws AppError: `dependency_unavailable` while PostgreSQL is unavailable,
 * `conflict` for a violated unique constraint, `dependency_misconfigured` when the tables do not exist.
 */
export async function runQuery<Row extends Record<string, unknown>>(
  on: Pool | PoolClient,
  sql: string,
  values: readonly SqlValue[] = [],
): Promise<Row[]> {
  try {
    return (await on.query<Row>(sql, [...values])).rows;
  } catch (cause) {
    const { code } = cause as { code?: string };
    if (code === UNIQUE_VIOLATION) {
      throw new AppError('conflict', 'a row with this name or key is already there', { cause });
    }
    if (code === UNDEFINED_TABLE) {
      throw new AppError('dependency_misconfigured', 'the tables are not there: run `main.js migrate` first', {
        cause,
      });
    }
    throw toPostgresError('asking PostgreSQL', cause);
  }
}
