import { type Pool, quoteIdentifier, runQuery } from '@perennial/postgres';
import type { ClockStore } from '../ports.js';

/** The driven log time in PostgreSQL: one row whose value only grows. */
export function createClockStore(pool: Pool, schema: string): ClockStore {
  const table = `${quoteIdentifier(schema)}.clock`;
  return {
    async loadLogTime() {
      const [row] = await runQuery<{ log_time_ms: number }>(pool, `SELECT log_time_ms FROM ${table}`);
      return row === undefined ? undefined : row.log_time_ms;
    },
    async saveLogTime(timeMs) {
      const sql = `INSERT INTO ${table} AS kept (log_time_ms) VALUES ($1)
        ON CONFLICT (only_row) DO UPDATE SET log_time_ms = GREATEST(kept.log_time_ms, EXCLUDED.log_time_ms)`;
      await runQuery(pool, sql, [timeMs]);
    },
  };
}
