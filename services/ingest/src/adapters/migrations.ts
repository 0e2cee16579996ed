import type { Migration } from '@perennial/postgres';

/** Tables of ingest in PostgreSQL, in a schema of its own. Migrations are only ever added. */
export const MIGRATIONS: readonly Migration[] = [
  {
    name: '001-sources',
    sql: `
        CREATE TABLE sources (
          id text PRIMARY KEY,
          name text NOT NULL UNIQUE,
          key_hash text NOT NULL UNIQUE,
          events_per_second_max integer CHECK (events_per_second_max > 0),
          created_at timestamptz NOT NULL DEFAULT now(),
          revoked_at timestamptz
        )`,
  },
  {
    name: '002-clock',
    sql: `
        CREATE TABLE clock (
          only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
          log_time_ms bigint NOT NULL
        )`,
  },
  {
    name: '003-activations',
    sql: `
        CREATE TABLE activations (
          kind text NOT NULL,
          partition integer NOT NULL,
          number bigint NOT NULL,
          hash text NOT NULL,
          written_at timestamptz NOT NULL DEFAULT now(),
          PRIMARY KEY (kind, partition)
        )`,
  },
  // The control record is called a rollout: an activation is a stage of the lifecycle.
  { name: '004-rollouts', sql: 'ALTER TABLE activations RENAME TO rollouts' },
  // Null now means that an operator has chosen no limit; until here it meant that nobody had chosen one.
  {
    name: '005-source-rates',
    sql: 'UPDATE sources SET events_per_second_max = 1000 WHERE events_per_second_max IS NULL',
  },
  { name: '006-source-currency', sql: "ALTER TABLE sources ADD COLUMN currency text CHECK (currency ~ '^[A-Z]{3}$')" },
  {
    name: '007-placeholder-ids',
    sql: `
        CREATE TABLE placeholder_ids (
          id text PRIMARY KEY,
          is_placeholder boolean NOT NULL,
          changed_at timestamptz NOT NULL DEFAULT now()
        )`,
  },
  // Without a reference to sources: what comes over Kafka has none, and a plan of it all the same.
  {
    name: '008-source-plans',
    sql: `
        CREATE TABLE source_plans (
          source_id text NOT NULL,
          number integer NOT NULL CHECK (number > 0),
          hash text,
          content text,
          file_name text NOT NULL,
          set_at timestamptz NOT NULL DEFAULT now(),
          PRIMARY KEY (source_id, number),
          CHECK ((hash IS NULL) = (content IS NULL))
        )`,
  },
  // By which rules about ids each process reads: who rolls out new ones waits for them.
  {
    name: '009-rule-readers',
    sql: `
        CREATE TABLE rule_readers (
          instance text PRIMARY KEY,
          hash text,
          seen_at timestamptz NOT NULL DEFAULT now()
        )`,
  },
  // A key in a page is public: only sources that an operator says so of may report for anybody.
  { name: '010-source-reports', sql: 'ALTER TABLE sources ADD COLUMN reports boolean NOT NULL DEFAULT false' },
];
