import type { SegmentChanged } from '@perennial/contracts';
import type { LogRecord } from '@perennial/kafka';
import type { Migration, Pool, PoolClient } from '@perennial/postgres';
import { askPostgres, quoteIdentifier } from '@perennial/postgres';
import type { PageKind } from '@perennial/service-host';
import type { SegmentTelemetry } from '../segment-metrics.js';
import { toStorable } from './storable.js';

/** Rows per INSERT: each is some hundred bytes of JSON. */
const ROWS_PER_INSERT_MAX = 1_000;

/** A page of a segment's members ends at a profile key. */
export const MEMBER_PAGES: PageKind<string> = {
  name: 'members',
  isPosition: (value): value is string => typeof value === 'string',
};

/** A page of a profile's changes ends at the number of a change. */
export const SEGMENT_CHANGE_PAGES: PageKind<number> = {
  name: 'segment-changes',
  isPosition: (value): value is number => Number.isSafeInteger(value),
};

export const SEGMENT_MIGRATIONS: readonly Migration[] = [
  {
    name: 'segments-1',
    sql: `CREATE TABLE segment_changes (
      profile_key text NOT NULL,
      number bigint NOT NULL,
      segment text NOT NULL,
      change text NOT NULL,
      cause text NOT NULL,
      at timestamptz NOT NULL,
      reasons jsonb NOT NULL,
      evidence jsonb NOT NULL,
      segments_version integer NOT NULL,
      PRIMARY KEY (profile_key, number)
    );
    CREATE TABLE segment_members (
      segment text NOT NULL,
      profile_key text NOT NULL,
      is_member boolean NOT NULL,
      since timestamptz NOT NULL,
      number bigint NOT NULL,
      PRIMARY KEY (segment, profile_key)
    );
    CREATE INDEX segment_members_current ON segment_members (segment, profile_key) WHERE is_member;`,
  },
];

interface StoredChange {
  readonly number: number;
  readonly segment: string;
  readonly change: string;
  readonly cause: string;
  readonly at: string;
  readonly reasons: readonly string[];
  readonly evidence: SegmentChanged['evidence'];
  readonly segmentsVersion: number;
}

interface StoredMember {
  readonly profileKey: string;
  readonly since: string;
}

/** Members and history of segments in PostgreSQL: written by the sink, read by HTTP. */
export interface SegmentStore {
  /** Idempotent: an existing change stays unchanged, and an earlier one does not undo a later one. */
  insert(client: PoolClient, records: readonly LogRecord[], afterCommit: (act: () => void) => void): Promise<void>;
  /** Members by segment, of the segments that ever had one, up to the sink's progress. */
  countMembers(): Promise<Record<string, number>>;
  /** In the order of the profile key, starting after `after`. */
  listMembers(segment: string, range: { after: string | undefined; limit: number }): Promise<StoredMember[]>;
  /** Changes of a profile, newest first, starting before number `after`. */
  listChanges(profileKey: string, range: { after: number | undefined; limit: number }): Promise<StoredChange[]>;
}

export function createSegmentStore(
  pool: Pool,
  options: { schema: string; telemetry: Pick<SegmentTelemetry, 'changesStored'> },
): SegmentStore {
  const schema = quoteIdentifier(options.schema);
  return {
    async insert(client, records, afterCommit) {
      for (let start = 0; start < records.length; start += ROWS_PER_INSERT_MAX) {
        const changes = JSON.stringify(records.slice(start, start + ROWS_PER_INSERT_MAX).map(toSegmentChanged));
        // One statement for both tables: the JSON is sent and read once.
        const { rows } = await client.query<{ segment: string; change: string; count: number }>(
          `WITH r AS MATERIALIZED (
             SELECT * FROM jsonb_to_recordset($1::jsonb) AS r("profileKey" text, number bigint, segment text, change text,
               cause text, at timestamptz, reasons jsonb, evidence jsonb, "segmentsVersion" integer)
           ), stored AS (
             INSERT INTO ${schema}.segment_changes
             SELECT r."profileKey", r.number, r.segment, r.change, r.cause, r.at, r.reasons, r.evidence, r."segmentsVersion"
             FROM r ON CONFLICT DO NOTHING RETURNING segment, change
           ), current AS (
           INSERT INTO ${schema}.segment_members
           SELECT DISTINCT ON (r.segment, r."profileKey") r.segment, r."profileKey", r.change = 'entered', r.at, r.number
           FROM r
           ORDER BY r.segment, r."profileKey", r.number DESC
           ON CONFLICT (segment, profile_key) DO UPDATE
             SET is_member = excluded.is_member, since = excluded.since, number = excluded.number
           WHERE segment_members.number < excluded.number
           )
           SELECT segment, change, count(*) AS count FROM stored GROUP BY segment, change`,
          [changes],
        );
        afterCommit(() => options.telemetry.changesStored(rows));
      }
    },
    countMembers: () =>
      askPostgres('counting members of segments', async () => {
        const { rows } = await pool.query<{ segment: string; members: number }>(
          `SELECT segment, count(*) FILTER (WHERE is_member) AS members FROM ${schema}.segment_members
           GROUP BY segment ORDER BY segment`,
        );
        return Object.fromEntries(rows.map(({ segment, members }) => [segment, members]));
      }),
    listMembers: (segment, { after, limit }) =>
      askPostgres('reading the members of a segment', async () => {
        const { rows } = await pool.query<{ profileKey: string; since: Date }>(
          `SELECT profile_key AS "profileKey", since FROM ${schema}.segment_members
           WHERE is_member AND segment = $1 AND profile_key > $2 ORDER BY profile_key LIMIT $3`,
          [segment, after ?? '', limit],
        );
        return rows.map((row) => ({ ...row, since: row.since.toISOString() }));
      }),
    listChanges: (profileKey, { after, limit }) =>
      askPostgres('reading changes of segments', async () => {
        const { rows } = await pool.query<Omit<StoredChange, 'at'> & { readonly at: Date }>(
          `SELECT number, segment, change, cause, at, reasons, evidence, segments_version AS "segmentsVersion"
           FROM ${schema}.segment_changes WHERE profile_key = $1 AND ($2::bigint IS NULL OR number < $2)
           ORDER BY number DESC LIMIT $3`,
          [profileKey, after ?? null, limit],
        );
        return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
      }),
  };
}

function toSegmentChanged(record: LogRecord): SegmentChanged {
  const change = JSON.parse(String(record.value)) as SegmentChanged;
  const evidence = Object.entries(change.evidence).map(([name, value]) => [
    name,
    typeof value === 'string' ? toStorable(value) : value,
  ]);
  return { ...change, reasons: change.reasons.map(toStorable), evidence: Object.fromEntries(evidence) };
}
