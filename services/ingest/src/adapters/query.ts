import { AppError } from '@perennial/kernel';
import { type Pool, toPostgresError } from '@perennial/postgres';

/** What SQL takes and gives here. */
export type SqlValue = string | number | boolean | Date | null;

const UNIQUE_VIOLATION = '23505';
const UNDEFINED_TABLE = '42P01';

/** Runs one statement; throws AppError: `dependency_unavailable` while PostgreSQL is away, `contract_violation` for a broken unique constraint. */
export async function query<Row extends Record<string, unknown>>(
  pool: Pool,
  sql: string,
  values: readonly SqlValue[] = [],
): Promise<Row[]> {
  try {
    return (await pool.query<Row>(sql, [...values])).rows;
  } catch (cause) {
    const { code } = cause as { code?: string };
    if (code === UNIQUE_VIOLATION) {
      throw new AppError('contract_violation', 'a row with this name or key is already there', { cause });
    }
    if (code === UNDEFINED_TABLE) {
      throw new AppError('dependency_misconfigured', 'the tables are not there: run `main.js migrate` first', {
        cause,
      });
    }
    throw toPostgresError('asking PostgreSQL', cause);
  }
}
