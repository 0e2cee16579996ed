import { type Pool, quoteIdentifier, runQuery } from '@perennial/postgres';
import type { RuleReaders } from '../ports.js';

/**
 * A process that has not been seen for so long is taken for one that has ended: it looks every ten seconds. One that goes on
 * without reaching PostgreSQL is not waited for.
 */
const SEEN_MS_MAX = 30_000;
/** A process that was killed leaves its row behind, for so long. */
const KEPT_MS = 3_600_000;

/** By which rules about ids each process of ingest reads events. */
export function createRuleReaders(pool: Pool, schema: string): RuleReaders {
  const table = `${quoteIdentifier(schema)}.rule_readers`;
  const saved = 'VALUES ($1, $2) ON CONFLICT (instance) DO UPDATE SET hash = $2, seen_at = now()';
  const isSeen = `seen_at > now() - interval '${SEEN_MS_MAX} milliseconds'`;
  return {
    async report(instance, hash) {
      await runQuery(pool, `INSERT INTO ${table} (instance, hash) ${saved}`, [instance, hash ?? null]);
      await runQuery(pool, `DELETE FROM ${table} WHERE seen_at < now() - interval '${KEPT_MS} milliseconds'`, []);
    },
    async forget(instance) {
      await runQuery(pool, `DELETE FROM ${table} WHERE instance = $1`, [instance]);
    },
    async listBehind(hash) {
      const sql = `SELECT instance FROM ${table} WHERE ${isSeen} AND hash IS DISTINCT FROM $1 ORDER BY instance`;
      return (await runQuery<{ instance: string }>(pool, sql, [hash])).map(({ instance }) => instance);
    },
  };
}
