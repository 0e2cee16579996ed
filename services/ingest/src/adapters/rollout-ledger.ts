import type { Rollout } from '@perennial/contracts';
import { type Pool, quoteIdentifier, runQuery } from '@perennial/postgres';
import type { RolloutLedger } from '../write-rollout.js';

/** The last rollout of each kind on each partition, in PostgreSQL. */
export function createRolloutLedger(pool: Pool, schema: string): RolloutLedger {
  const table = `${quoteIdentifier(schema)}.rollouts`;
  return {
    async load(kind) {
      const sql = `SELECT partition, number, hash FROM ${table} WHERE kind = $1`;
      const rows = await runQuery<{ partition: number; number: number; hash: string }>(pool, sql, [kind]);
      return new Map(rows.map(({ partition, number, hash }): [number, Rollout] => [partition, { kind, number, hash }]));
    },
    async save(partition, { kind, number, hash }) {
      const sql = `INSERT INTO ${table} (kind, partition, number, hash) VALUES ($1, $2, $3, $4)
        ON CONFLICT (kind, partition) DO UPDATE SET number = EXCLUDED.number, hash = EXCLUDED.hash, written_at = now()`;
      await runQuery(pool, sql, [kind, partition, number, hash]);
    },
  };
}
