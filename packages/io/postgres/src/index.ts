export { askPostgres, isPassing } from './errors.js';
export { quoteIdentifier } from './identifiers.js';
export { type Migration, migrate } from './migrate.js';
export { createPool, inTransaction, type Pool, type PoolClient, withPool } from './pool.js';
export { runQuery } from './run-query.js';
