import type { StageChanged } from '@perennial/contracts';
import type { LogRecord } from '@perennial/kafka';
import type { Migration, Pool, PoolClient } from '@perennial/postgres';
import { askPostgres, quoteIdentifier } from '@perennial/postgres';
import type { PageKind } from '@perennial/service-host';
import type { ScoringTelemetry } from '../telemetry.js';
import { toStorable } from './storable.js';

/** Rows per INSERT; a statement has 65,535 parameters at most. */
const ROWS_PER_INSERT_MAX = 1_000;

/** A page of a profile's transitions ends at a transition number. */
export const TRANSITION_PAGES: PageKind<number> = {
  name: 'transitions',
  isPosition: (value): value is number => Number.isSafeInteger(value),
};

export const TRANSITION_MIGRATIONS: readonly Migration[] = [
  {
    name: 'transitions-1',
    // Ids of users are not stored here: a user is looked up by pseudonym.
    sql: `CREATE TABLE transitions (
      profile_key text NOT NULL,
      number bigint NOT NULL,
      from_stage text,
      to_stage text NOT NULL,
      cause text NOT NULL,
      at timestamptz NOT NULL,
      reasons jsonb NOT NULL,
      evidence jsonb NOT NULL,
      lifecycle_version integer NOT NULL,
      model_hash text NOT NULL,
      PRIMARY KEY (profile_key, number)
    );
    CREATE INDEX transitions_at ON transitions (at);
    CREATE TABLE profile_stages (
      profile_key text PRIMARY KEY,
      number bigint NOT NULL,
      stage text NOT NULL,
      since timestamptz NOT NULL
    );`,
  },
  {
    name: 'transitions-2',
    sql: `ALTER TABLE transitions ADD COLUMN scores jsonb NOT NULL DEFAULT '{}'`,
  },
];

interface StoredTransition {
  readonly number: number;
  readonly from: string | null;
  readonly to: string;
  readonly cause: string;
  readonly at: string;
  readonly reasons: readonly string[];
  readonly evidence: Readonly<Record<string, number | null>>;
  readonly lifecycleVersion: number;
  readonly modelHash: string;
  /** By the names of the model's heads; empty for transitions from before scores were stored. */
  readonly scores: Readonly<Record<string, number>>;
}

/** The history of transitions in PostgreSQL: written by the sink, read by HTTP. */
export interface TransitionStore {
  /** Idempotent: an existing transition stays unchanged. */
  insert(client: PoolClient, records: readonly LogRecord[], afterCommit: (act: () => void) => void): Promise<void>;
  /** Profiles per stage, up to the sink's progress. */
  countStages(): Promise<Record<string, number>>;
  /** Newest first, starting before number `after`. */
  list(profileKey: string, range: { after: number | undefined; limit: number }): Promise<StoredTransition[]>;
}

export function createTransitionStore(
  pool: Pool,
  options: { schema: string; telemetry: ScoringTelemetry },
): TransitionStore {
  const schema = quoteIdentifier(options.schema);
  return {
    async insert(client, records, afterCommit) {
      for (let start = 0; start < records.length; start += ROWS_PER_INSERT_MAX) {
        const changes = records.slice(start, start + ROWS_PER_INSERT_MAX).map(toStageChanged);
        // One parameter with all rows: the statement is the same for any number of rows. One statement for both tables: the
        // JSON is sent and read once.
        const { rows } = await client.query<{ from: string | null; to: string; cause: string }>(
          `WITH r AS MATERIALIZED (
             SELECT * FROM jsonb_to_recordset($1::jsonb) AS r("profileKey" text, number bigint, "from" text, "to" text,
               cause text, at timestamptz, reasons jsonb, evidence jsonb, "lifecycleVersion" integer, "modelHash" text,
               scores jsonb)
           ), current AS (
             INSERT INTO ${schema}.profile_stages
             SELECT DISTINCT ON (r."profileKey") r."profileKey", r.number, r."to", r.at
             FROM r ORDER BY r."profileKey", r.number DESC
             ON CONFLICT (profile_key) DO UPDATE SET number = excluded.number, stage = excluded.stage, since = excluded.since
             WHERE profile_stages.number < excluded.number
           )
           INSERT INTO ${schema}.transitions
           SELECT r."profileKey", r.number, r."from", r."to", r.cause, r.at, r.reasons, r.evidence, r."lifecycleVersion", r."modelHash",
             coalesce(r.scores, '{}')
           FROM r ON CONFLICT DO NOTHING RETURNING from_stage AS "from", to_stage AS "to", cause`,
          [JSON.stringify(changes)],
        );
        afterCommit(() => options.telemetry.transitionsStored(rows));
      }
    },
    countStages: () =>
      askPostgres('counting stages', async () => {
        const { rows } = await pool.query<{ stage: string; profiles: number }>(
          `SELECT stage, count(*) AS profiles FROM ${schema}.profile_stages GROUP BY stage ORDER BY stage`,
        );
        return Object.fromEntries(rows.map(({ stage, profiles }) => [stage, profiles]));
      }),
    list: (profileKey, { after, limit }) =>
      askPostgres('reading transitions', async () => {
        const { rows } = await pool.query<Omit<StoredTransition, 'at'> & { readonly at: Date }>(
          `SELECT number, from_stage AS "from", to_stage AS "to", cause, at, reasons, evidence,
             lifecycle_version AS "lifecycleVersion", model_hash AS "modelHash", scores
           FROM ${schema}.transitions WHERE profile_key = $1 AND ($2::bigint IS NULL OR number < $2)
           ORDER BY number DESC LIMIT $3`,
          [profileKey, after ?? null, limit],
        );
        return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
      }),
  };
}

function toStageChanged(record: LogRecord): StageChanged {
  const change = JSON.parse(String(record.value)) as StageChanged;
  return { ...change, reasons: change.reasons.map(toStorable) };
}
