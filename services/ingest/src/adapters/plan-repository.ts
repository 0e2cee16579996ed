import { AppError, isAppError, toSha256 } from '@perennial/kernel';
import { type Pool, quoteIdentifier, runQuery } from '@perennial/postgres';
import type { PlanStore, PlanVersion } from '../ports.js';

/** A version as operators see it. */
export interface ListedPlan extends PlanVersion {
  readonly fileName: string;
  readonly setAt: string;
}

/** Tracking plans in PostgreSQL: each version stays, the newest of a source is in force. */
export interface PlanRepository extends PlanStore {
  /** Versions of a source, the newest first. */
  history(sourceId: string): Promise<readonly ListedPlan[]>;
  /**
   * Adds a version; a content that is in force already adds none. Null ends the source's plan. Throws `conflict` when
   * another one is added at the same time.
   */
  add(sourceId: string, plan: { readonly content: string | null; readonly fileName: string }): Promise<ListedPlan>;
}

type PlanRow = { source_id: string; number: number; hash: string | null; file_name: string; set_at: Date };

export function createPlanRepository(pool: Pool, schema: string): PlanRepository {
  const table = `${quoteIdentifier(schema)}.source_plans`;
  const columns = 'source_id, number, hash, file_name, set_at';

  async function history(sourceId: string): Promise<ListedPlan[]> {
    const sql = `SELECT ${columns} FROM ${table} WHERE source_id = $1 ORDER BY number DESC`;
    return (await runQuery<PlanRow>(pool, sql, [sourceId])).map(toListed);
  }

  return {
    history,
    async listCurrent() {
      const sql = `SELECT DISTINCT ON (source_id) ${columns} FROM ${table} ORDER BY source_id, number DESC`;
      return (await runQuery<PlanRow>(pool, sql)).map(toListed);
    },
    async load(sourceId, number) {
      const sql = `SELECT content FROM ${table} WHERE source_id = $1 AND number = $2`;
      const [row] = await runQuery<{ content: string | null }>(pool, sql, [sourceId, number]);
      return row?.content ?? undefined;
    },
    async add(sourceId, { content, fileName }) {
      const [current] = await history(sourceId);
      const hash = content === null ? null : toSha256(content);
      if (current?.hash === hash) return current;
      const sql = `INSERT INTO ${table} (source_id, number, hash, content, file_name) VALUES ($1, $2, $3, $4, $5) RETURNING ${columns}`;
      const values = [sourceId, (current?.number ?? 0) + 1, hash, content, fileName];
      try {
        const [row] = await runQuery<PlanRow>(pool, sql, values);
        return toListed(row as PlanRow);
      } catch (error) {
        if (!isAppError(error, 'conflict')) throw error;
        throw new AppError('conflict', 'another plan of this source was set at the same time', { cause: error });
      }
    },
  };
}

function toListed({ source_id: sourceId, number, hash, file_name: fileName, set_at: setAt }: PlanRow): ListedPlan {
  return { sourceId, number, hash, fileName, setAt: setAt.toISOString() };
}
