import type { PoolClient } from 'pg';
import pg from 'pg';

export type { Pool, PoolClient } from 'pg';

export interface PoolOptions {
  readonly url: string;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  readonly connectionsMax: number;
  /** Timeout of one statement; default STATEMENT_TIMEOUT_MS. */
  readonly statementTimeoutMs?: number;
  /** Called when an idle connection breaks; the pool replaces it. */
  readonly onIdleError?: (error: Error) => void;
}

const CONNECT_TIMEOUT_MS = 5_000;
/**
 * Shorter than the statement timeout: when one connection turns out to be lost, the pool has no other one from before
 * the loss.
 */
const IDLE_TIMEOUT_MS = 10_000;
const STATEMENT_TIMEOUT_MS = 15_000;
/** When this time is over too, PostgreSQL is unavailable: a connection may be lost without notice to either end. */
const ANSWER_GRACE_MS = 5_000;
/** A transaction of a hanging process must not hold locks for ever. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000;

/**
 * A pool that connects at first use. `bigint` columns are returned as numbers: offsets and milliseconds fit 53 bits.
 */
export function createPool(options: PoolOptions): pg.Pool {
  const { url, applicationName, connectionsMax, statementTimeoutMs = STATEMENT_TIMEOUT_MS, onIdleError } = options;
  const pool = new pg.Pool({
    connectionString: url,
    application_name: applicationName,
    max: connectionsMax,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + ANSWER_GRACE_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    keepAlive: true,
    types: { getTypeParser },
  });
  // Without a listener a broken idle connection would end the process.
  pool.on('error', (error) => onIdleError?.(error));
  return pool;
}

function getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  if (oid === pg.types.builtins.INT8 && format !== 'binary') return Number;
  return pg.types.getTypeParser(oid, format) as (value: string) => unknown;
}

/** A pool for one task, such as a command. */
export async function withPool<T>(options: PoolOptions, work: (pool: pg.Pool) => Promise<T>): Promise<T> {
  const pool = createPool(options);
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
}

/** Runs `work` in one transaction: committed when it resolves, rolled back when it throws. */
export async function inTransaction<T>(pool: pg.Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // A connection that breaks between two queries reports it only by this event, and an unhandled error event would end
  // the process.
  const onError = (error: Error) => {
    broken = error;
  };
  client.on('error', onError);
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    // The server-side state of a connection that fails here is unknown: it must not go back to the pool.
    if (isUnanswered(error)) broken = error;
    else await client.query('ROLLBACK').catch((rollbackError: Error) => (broken = rollbackError));
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}

/**
 * True for a statement that the server did not end even at its timeout: later statements on this connection would wait
 * behind it.
 */
function isUnanswered(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  // `runQuery` wraps what the driver throws.
  return error.message === 'Query read timeout' || isUnanswered(error.cause);
}
