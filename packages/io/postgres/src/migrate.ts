import { AppError, toSha256 } from '@perennial/kernel';
import type { Pool, PoolClient } from 'pg';
import { askPostgres } from './errors.js';
import { quoteIdentifier } from './identifiers.js';
import { inTransaction } from './pool.js';

/** One migration of a schema; `sql` runs with the schema as search path, and never changes after its release. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

/** First key of the advisory locks of migrations; the second is the schema's hash. */
const MIGRATION_LOCK = 7_314_001;

/** Timeout of one migration: an index over a large table takes long. */
const MIGRATION_TIMEOUT_MS = 3_600_000;

/**
 * Creates the schema and runs the missing migrations, in order, in one transaction: all or nothing. Processes that
 * start together wait for each other. Returns the names of the migrations it ran. Throws `dependency_misconfigured`
 * when a migration was changed after it ran.
 */
export async function migrate(
  pool: Pool,
  options: { schema: string; migrations: readonly Migration[] },
): Promise<string[]> {
  return askPostgres(`migrating schema ${options.schema}`, () =>
    inTransaction(pool, (client) => migrateWithin(client, options)),
  );
}

async function migrateWithin(
  client: PoolClient,
  { schema, migrations }: { schema: string; migrations: readonly Migration[] },
): Promise<string[]> {
  await client.query(`SET LOCAL statement_timeout = ${MIGRATION_TIMEOUT_MS}`);
  // Another process may hold the lock for as long as its migrations take.
  await patiently(client, 'SELECT pg_advisory_xact_lock($1, hashtext($2))', [MIGRATION_LOCK, schema]);
  await client.query(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(schema)}`);
  await client.query(`SET LOCAL search_path TO ${quoteIdentifier(schema)}`);
  await client.query(
    'CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, hash text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())',
  );
  const { rows } = await client.query<{ name: string; hash: string }>('SELECT name, hash FROM migrations');
  const applied = new Map(rows.map(({ name, hash }) => [name, hash]));
  const ran: string[] = [];
  for (const { name, sql } of migrations) {
    const hash = toSha256(sql);
    const before = applied.get(name);
    if (before === hash) continue;
    if (before !== undefined) {
      throw new AppError(
        'dependency_misconfigured',
        `migration ${name} of schema ${schema} was changed after it had been run; add a new one instead`,
      );
    }
    await patiently(client, sql);
    await client.query('INSERT INTO migrations (name, hash) VALUES ($1, $2)', [name, hash]);
    ran.push(name);
  }
  return ran;
}

/** A statement that may take longer than the pool's other statements. */
async function patiently(client: PoolClient, text: string, values: unknown[] = []): Promise<void> {
  // pg supports this for a single query too; its types do not have it.
  const query = { text, values, query_timeout: MIGRATION_TIMEOUT_MS };
  await client.query(query);
}
