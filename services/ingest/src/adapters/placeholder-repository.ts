import { type Pool, quoteIdentifier, runQuery } from '@perennial/postgres';
import type { PlaceholderStore } from '../ports.js';

/** What an operator says of an id; `built-in` takes it back. */
export type PlaceholderRule = 'placeholder' | 'id' | 'built-in';

/** The operator's changes to the placeholder ids, in PostgreSQL: one row an id. */
export interface PlaceholderRepository extends PlaceholderStore {
  set(id: string, rule: PlaceholderRule): Promise<void>;
}

type PlaceholderRow = { id: string; is_placeholder: boolean };

export function createPlaceholderRepository(pool: Pool, schema: string): PlaceholderRepository {
  const table = `${quoteIdentifier(schema)}.placeholder_ids`;
  return {
    async loadChanges() {
      const rows = await runQuery<PlaceholderRow>(pool, `SELECT id, is_placeholder FROM ${table} ORDER BY id`);
      const pick = (isPlaceholder: boolean) =>
        rows.filter((row) => row.is_placeholder === isPlaceholder).map(({ id }) => id);
      return { added: pick(true), allowed: pick(false) };
    },
    async set(id, rule) {
      if (rule === 'built-in') {
        await runQuery(pool, `DELETE FROM ${table} WHERE id = $1`, [id]);
        return;
      }
      const sql = `INSERT INTO ${table} (id, is_placeholder) VALUES ($1, $2)
        ON CONFLICT (id) DO UPDATE SET is_placeholder = EXCLUDED.is_placeholder, changed_at = now()`;
      await runQuery(pool, sql, [id, rule === 'placeholder']);
    },
  };
}
