import { AppError, createRandomToken, isAppError, toSha256 } from '@perennial/kernel';
import { type Pool, quoteIdentifier, runQuery } from '@perennial/postgres';
import type { Source, SourceStore } from '../ports.js';

/** A source as operators see it; without its key. */
interface ListedSource extends Source {
  readonly createdAt: string;
  readonly revokedAt: string | null;
}

/** Result of `create`; the write key is shown only here. */
interface CreatedSource {
  readonly sourceId: string;
  readonly name: string;
  readonly writeKey: string;
}

/** Sources in PostgreSQL. Of a write key only the hash is kept (the key is random, so a plain SHA-256 is safe). */
export interface SourceRepository extends SourceStore {
  create(source: Omit<Source, 'id'>): Promise<CreatedSource>;
  list(): Promise<ListedSource[]>;
  /** Changes its rate; instances that remember the source follow within ten seconds. Throws `not_found`. */
  setRate(nameOrId: string, eventsPerSecondMax: number | null): Promise<ListedSource>;
  /** Whether it may report for anybody; as `setRate`. */
  setReports(nameOrId: string, reports: boolean): Promise<ListedSource>;
  /** Throws `not_found` when no source has this name or id. */
  find(nameOrId: string): Promise<Source>;
  /** Throws `not_found` when no source has this name or id; revoking again changes nothing. */
  revoke(nameOrId: string): Promise<ListedSource>;
}

type SourceRow = {
  id: string;
  name: string;
  events_per_second_max: number | null;
  currency: string | null;
  reports: boolean;
  created_at: Date;
  revoked_at: Date | null;
};

export function createSourceRepository(pool: Pool, schema: string): SourceRepository {
  const table = `${quoteIdentifier(schema)}.sources`;
  const columns = 'id, name, events_per_second_max, currency, reports, created_at, revoked_at';

  async function change(
    nameOrId: string,
    { assignment, values }: { assignment: string; values: Array<number | boolean | null> },
  ) {
    const sql = `UPDATE ${table} SET ${assignment} WHERE name = $1 OR id = $1 RETURNING ${columns}`;
    return toListed(requireFound(await runQuery<SourceRow>(pool, sql, [nameOrId, ...values]), nameOrId));
  }

  return {
    async findByKeyHash(keyHash) {
      const sql = `SELECT ${columns} FROM ${table} WHERE key_hash = $1 AND revoked_at IS NULL`;
      const [row] = await runQuery<SourceRow>(pool, sql, [keyHash]);
      return row === undefined ? undefined : toSource(row);
    },

    async create({ name, eventsPerSecondMax, currency, reports }) {
      const sourceId = `src_${createRandomToken()}`;
      const writeKey = `pk_${createRandomToken()}${createRandomToken()}`;
      const sql = `INSERT INTO ${table} (id, name, key_hash, events_per_second_max, currency, reports)
        VALUES ($1, $2, $3, $4, $5, $6)`;
      try {
        await runQuery(pool, sql, [sourceId, name, toSha256(writeKey), eventsPerSecondMax, currency, reports]);
      } catch (error) {
        if (!isAppError(error, 'conflict')) throw error;
        throw new AppError('conflict', `there is already a source named ${JSON.stringify(name)}`, {
          cause: error,
        });
      }
      return { sourceId, name, writeKey };
    },

    async list() {
      return (await runQuery<SourceRow>(pool, `SELECT ${columns} FROM ${table} ORDER BY created_at, id`)).map(toListed);
    },

    async find(nameOrId) {
      const sql = `SELECT ${columns} FROM ${table} WHERE name = $1 OR id = $1`;
      return toSource(requireFound(await runQuery<SourceRow>(pool, sql, [nameOrId]), nameOrId));
    },

    setRate: (nameOrId, eventsPerSecondMax) =>
      change(nameOrId, { assignment: 'events_per_second_max = $2', values: [eventsPerSecondMax] }),

    setReports: (nameOrId, reports) => change(nameOrId, { assignment: 'reports = $2', values: [reports] }),

    revoke: (nameOrId) => change(nameOrId, { assignment: 'revoked_at = COALESCE(revoked_at, now())', values: [] }),
  };
}

function requireFound([row]: readonly SourceRow[], nameOrId: string): SourceRow {
  if (row !== undefined) return row;
  throw new AppError('not_found', `there is no source ${JSON.stringify(nameOrId)}`);
}

function toSource(row: SourceRow): Source {
  const { id, name, events_per_second_max: eventsPerSecondMax, currency, reports } = row;
  return { id, name, eventsPerSecondMax, currency, reports };
}

function toListed(row: SourceRow): ListedSource {
  const { created_at: createdAt, revoked_at: revokedAt } = row;
  return { ...toSource(row), createdAt: createdAt.toISOString(), revokedAt: revokedAt?.toISOString() ?? null };
}
