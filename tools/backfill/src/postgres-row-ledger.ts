import { askPostgres, type Migration, migrate, type Pool, quoteIdentifier } from '@perennial/postgres';
import { ID_BYTES, type RowLedger } from './row-ledger.js';

const MIGRATIONS: readonly Migration[] = [
  {
    name: '001-sent-rows',
    sql: `CREATE TABLE sent_rows (
      number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      log_time_ms bigint NOT NULL,
      ids bytea NOT NULL CHECK (octet_length(ids) % ${ID_BYTES} = 0)
    )`,
  },
];

/** Entries read at once: at most 16 KB each. */
const ENTRIES_AT_ONCE = 200;
/** Ids of one entry: a longer piece is split, so that reading takes bounded memory. */
const ENTRY_IDS_MAX = 2_000;

/** A namespace's ledger in PostgreSQL, in a schema of its own: wherever the backfill runs, it is the same. */
export async function openRowLedger(pool: Pool, schema: string): Promise<RowLedger> {
  await migrate(pool, { schema, migrations: MIGRATIONS });
  const table = `${quoteIdentifier(schema)}.sent_rows`;
  return {
    summarize: () => summarize(pool, table),
    read: () => readEntries(pool, table),
    append: async (ids, logTimeMs) => {
      for (let from = 0; from < ids.length; from += ENTRY_IDS_MAX * ID_BYTES) {
        const entry = ids.subarray(from, from + ENTRY_IDS_MAX * ID_BYTES);
        await ask(() => pool.query(`INSERT INTO ${table} (log_time_ms, ids) VALUES ($1, $2)`, [logTimeMs, entry]));
      }
    },
    clear: async () => {
      await ask(() => pool.query(`TRUNCATE ${table}`));
    },
  };
}

async function summarize(pool: Pool, table: string): Promise<{ ids: number; logTimeMs: number | undefined }> {
  const { rows } = await ask(() =>
    pool.query<{ bytes: number; log_time_ms: number | null }>(
      `SELECT coalesce(sum(octet_length(ids)), 0)::bigint AS bytes, max(log_time_ms) AS log_time_ms FROM ${table}`,
    ),
  );
  const [found] = rows;
  return { ids: Number(found?.bytes ?? 0) / ID_BYTES, logTimeMs: found?.log_time_ms ?? undefined };
}

async function* readEntries(pool: Pool, table: string): AsyncGenerator<Buffer> {
  let after = 0;
  for (;;) {
    const { rows } = await ask(() =>
      pool.query<{ number: number; ids: Buffer }>(
        `SELECT number, ids FROM ${table} WHERE number > $1 ORDER BY number LIMIT ${ENTRIES_AT_ONCE}`,
        [after],
      ),
    );
    for (const { ids } of rows) yield ids;
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.number;
  }
}

function ask<T>(question: () => Promise<T>): Promise<T> {
  return askPostgres('the ledger of backfilled rows', question);
}
