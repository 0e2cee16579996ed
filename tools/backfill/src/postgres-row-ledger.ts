import { askPostgres, type Migration, migrate, type Pool, quoteIdentifier } from '@perennial/postgres';
import { ID_BYTES, type LedgerEntry, ORDER_BYTES, type RowLedger } from './row-ledger.js';

const MIGRATIONS: readonly Migration[] = [
  {
    name: '001-sent-rows',
    sql: `CREATE TABLE sent_rows (
      number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      log_time_ms bigint NOT NULL,
      ids bytea NOT NULL CHECK (octet_length(ids) % ${ID_BYTES} = 0)
    )`,
  },
  {
    name: '002-sent-orders',
    sql: `ALTER TABLE sent_rows
      ADD COLUMN orders bytea NOT NULL DEFAULT ''::bytea CHECK (octet_length(orders) % ${ORDER_BYTES} = 0)`,
  },
];

/** Entries read at once: at most 48 KB each. */
const ENTRIES_AT_ONCE = 200;
/** Ids, and orders, of one entry: a longer piece is split, so that reading takes bounded memory. */
const ENTRY_ROWS_MAX = 2_000;

/** A namespace's ledger in PostgreSQL, in a schema of its own: wherever the backfill runs, it is the same. */
export async function openRowLedger(pool: Pool, schema: string): Promise<RowLedger> {
  await migrate(pool, { schema, migrations: MIGRATIONS });
  const table = `${quoteIdentifier(schema)}.sent_rows`;
  return {
    summarize: () => summarize(pool, table),
    read: () => readEntries(pool, table),
    append: async (entry, logTimeMs) => {
      for (const { ids, orders } of split(entry)) {
        const sql = `INSERT INTO ${table} (log_time_ms, ids, orders) VALUES ($1, $2, $3)`;
        await ask(() => pool.query(sql, [logTimeMs, ids, orders]));
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

function* split({ ids, orders }: LedgerEntry): Generator<LedgerEntry> {
  const pieces = Math.ceil(Math.max(ids.length / ID_BYTES, orders.length / ORDER_BYTES) / ENTRY_ROWS_MAX);
  const cut = (bytes: Buffer, piece: number, size: number) =>
    bytes.subarray(piece * ENTRY_ROWS_MAX * size, (piece + 1) * ENTRY_ROWS_MAX * size);
  for (let piece = 0; piece < pieces; piece++) {
    yield { ids: cut(ids, piece, ID_BYTES), orders: cut(orders, piece, ORDER_BYTES) };
  }
}

async function* readEntries(pool: Pool, table: string): AsyncGenerator<LedgerEntry> {
  let after = 0;
  for (;;) {
    const { rows } = await ask(() =>
      pool.query<{ number: number } & LedgerEntry>(
        `SELECT number, ids, orders FROM ${table} WHERE number > $1 ORDER BY number LIMIT ${ENTRIES_AT_ONCE}`,
        [after],
      ),
    );
    for (const { ids, orders } of rows) yield { ids, orders };
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.number;
  }
}

function ask<T>(question: () => Promise<T>): Promise<T> {
  return askPostgres('the ledger of backfilled rows', question);
}
