import type { ActionDecided } from '@perennial/contracts';
import type { LogRecord } from '@perennial/kafka';
import { type LifeState, toLifeState } from '@perennial/policy';
import { type Migration, type Pool, type PoolClient, quoteIdentifier } from '@perennial/postgres';
import type { PageKind } from '@perennial/service-host';

/** Of one action; further ones are stored and not shown. */
const OUTCOMES_MAX = 100;

/** An action as the ledger has it. External ids are not kept: a profile's actions are found by its key. */
type LedgerEntry = Omit<ActionDecided, 'userId'> & {
  /** Of all its outcomes. */
  readonly state: LifeState;
  /** The first ones first; 100 at most. */
  readonly outcomes: readonly ReportedOutcome[];
};

interface ReportedOutcome {
  readonly outcome: string;
  readonly at: string;
  readonly channel: string;
  readonly value: number | null;
}

interface StrategyTotals {
  readonly strategy: string;
  readonly actions: number;
  readonly cost: number;
}

/** The ledger of decided actions, a projection of `action.decided`. */
export interface Ledger {
  /** Writes a batch within the projection's transaction; an action that is already there changes nothing. */
  insert(client: PoolClient, records: readonly LogRecord[]): Promise<void>;
  /** Writes outcomes likewise; one that is already there, or whose action is not, changes nothing else. */
  insertOutcomes(client: PoolClient, records: readonly LogRecord[]): Promise<void>;
  /** A profile's actions, newest first, starting after `after`. */
  listByProfile(
    profileKey: string,
    range: { after: ActionPosition | undefined; limit: number },
  ): Promise<LedgerEntry[]>;
  /** One action, of whichever profile; undefined where the ledger does not have it. */
  find(actionId: string): Promise<LedgerEntry | undefined>;
  totals(): Promise<StrategyTotals[]>;
}

/** Position of the last action of a page. */
export interface ActionPosition {
  readonly decidedAt: string;
  readonly actionId: string;
}

/** Several actions may have the same time: the id breaks the tie. */
export const ACTION_PAGES: PageKind<ActionPosition> = {
  name: 'actions',
  isPosition(value): value is ActionPosition {
    const { decidedAt, actionId } = (value ?? {}) as Partial<Record<keyof ActionPosition, unknown>>;
    return typeof decidedAt === 'string' && !Number.isNaN(Date.parse(decidedAt)) && typeof actionId === 'string';
  },
};

/** Tables of the ledger. Migrations are only ever added. */
export const LEDGER_MIGRATIONS: readonly Migration[] = [
  {
    name: 'actions-1',
    sql: `
      CREATE TABLE actions (
        action_id text PRIMARY KEY,
        profile_key text NOT NULL,
        strategy text NOT NULL,
        channel text NOT NULL,
        template text NOT NULL,
        parameters jsonb NOT NULL,
        stage text NOT NULL,
        cause jsonb NOT NULL,
        reasons jsonb NOT NULL,
        policy_version bigint NOT NULL,
        model_hash text NOT NULL,
        decided_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        cost double precision NOT NULL
      );
      CREATE INDEX actions_by_profile ON actions (profile_key, decided_at DESC);
      CREATE TABLE action_totals (
        strategy text PRIMARY KEY,
        actions bigint NOT NULL,
        cost double precision NOT NULL
      );`,
  },
  {
    name: 'actions-2',
    // In page order, so that a page reads no row of another page.
    sql: `
      DROP INDEX actions_by_profile;
      CREATE INDEX actions_by_profile ON actions (profile_key, decided_at DESC, action_id DESC)`,
  },
  {
    name: 'actions-3',
    sql: `ALTER TABLE actions ADD COLUMN scores jsonb NOT NULL DEFAULT '{}'`,
  },
  {
    name: 'actions-4',
    // Outcomes of actions that the ledger does not have are kept, too: they may come before the action.
    sql: `
      CREATE TABLE action_outcomes (
        action_id text NOT NULL,
        profile_key text NOT NULL,
        message_id text NOT NULL,
        outcome text NOT NULL,
        at timestamptz NOT NULL,
        channel text NOT NULL,
        value double precision,
        PRIMARY KEY (action_id, profile_key, message_id, outcome)
      )`,
  },
  {
    name: 'actions-5',
    // Of rows from before nobody can say it any more: they count where they are the profile's own.
    sql: 'ALTER TABLE action_outcomes ADD COLUMN known boolean NOT NULL DEFAULT false',
  },
];

const COLUMNS = `"actionId" text, "profileKey" text, strategy text, channel text, template text, parameters jsonb,
  stage text, cause jsonb, reasons jsonb, "policyVersion" bigint, "modelHash" text, "decidedAt" timestamptz,
  "expiresAt" timestamptz, cost double precision, scores jsonb`;

/** Columns of the table; the oldest records have no scores. */
const VALUES = `"actionId", "profileKey", strategy, channel, template, parameters, stage, cause, reasons, "policyVersion",
  "modelHash", "decidedAt", "expiresAt", cost, coalesce(scores, '{}')`;

export function createLedger(pool: Pool, schema: string): Ledger {
  const actions = `${quoteIdentifier(schema)}.actions`;
  const totals = `${quoteIdentifier(schema)}.action_totals`;
  const outcomes = `${quoteIdentifier(schema)}.action_outcomes`;
  const read = async (condition: string, values: readonly unknown[]): Promise<LedgerEntry[]> => {
    const { rows } = await pool.query<LedgerRow>(`${toSelect({ actions, outcomes })} ${condition}`, [...values]);
    return rows.map(toEntry);
  };
  return {
    async insert(client, records) {
      const rows = records.map(({ value }) => JSON.parse((value ?? Buffer.from('null')).toString('utf8')) as unknown);
      // Totals are locked in the order of their names, so that two concurrent sinks cannot deadlock.
      await client.query(
        `WITH added AS (
           INSERT INTO ${actions} SELECT ${VALUES} FROM jsonb_to_recordset($1::jsonb) AS rows (${COLUMNS})
           ON CONFLICT (action_id) DO NOTHING RETURNING strategy, cost
         )
         INSERT INTO ${totals} AS t
         SELECT strategy, count(*), sum(cost) FROM added GROUP BY strategy ORDER BY strategy
         ON CONFLICT (strategy) DO UPDATE SET actions = t.actions + excluded.actions, cost = t.cost + excluded.cost`,
        [JSON.stringify(rows)],
      );
    },
    async insertOutcomes(client, records) {
      const rows = records.map(({ value }) => JSON.parse((value ?? Buffer.from('null')).toString('utf8')) as unknown);
      await client.query(
        `INSERT INTO ${outcomes}
         SELECT "actionId", "profileKey", "messageId", outcome, at, channel, value, known
         FROM jsonb_to_recordset($1::jsonb) AS rows ("actionId" text, "profileKey" text, "messageId" text, outcome text,
           at timestamptz, channel text, value double precision, known boolean)
         ON CONFLICT DO NOTHING`,
        [JSON.stringify(rows)],
      );
    },
    listByProfile(profileKey, { after, limit }) {
      return read(
        `WHERE profile_key = $1 AND ($2::timestamptz IS NULL OR (decided_at, action_id) < ($2, $3))
         ORDER BY decided_at DESC, action_id DESC LIMIT $4`,
        [profileKey, after?.decidedAt ?? null, after?.actionId ?? null, limit],
      );
    },
    async find(actionId) {
      return (await read('WHERE action_id = $1', [actionId]))[0];
    },
    async totals() {
      const { rows } = await pool.query<StrategyTotals>(
        `SELECT strategy, actions, cost FROM ${totals} ORDER BY strategy`,
      );
      return rows;
    },
  };
}

type LedgerRow = Omit<LedgerEntry, 'decidedAt' | 'expiresAt' | 'state'> & {
  readonly decidedAt: Date;
  readonly expiresAt: Date;
  readonly kinds: readonly string[];
};

/**
 * Actions with what came of each; tables by their quoted names. Anybody may name an action of somebody else: a report counts where
 * its profile had the action, as one has that others have joined, or where it is of the action's own profile.
 */
function toSelect({ actions, outcomes }: { readonly actions: string; readonly outcomes: string }): string {
  const isOwn = `action_outcomes.action_id = actions.action_id
    AND (action_outcomes.known OR action_outcomes.profile_key = actions.profile_key)`;
  return `
    SELECT action_id AS "actionId", profile_key AS "profileKey", strategy, channel, template, parameters, stage,
      cause, reasons, policy_version AS "policyVersion", model_hash AS "modelHash", decided_at AS "decidedAt",
      expires_at AS "expiresAt", cost, scores,
      (SELECT coalesce(jsonb_agg(o ORDER BY o.at, o.outcome), '[]') FROM (
         SELECT outcome, at, channel, value FROM ${outcomes}
         WHERE ${isOwn} ORDER BY at, outcome LIMIT ${OUTCOMES_MAX}) o) AS outcomes,
      ARRAY(SELECT DISTINCT outcome FROM ${outcomes} WHERE ${isOwn}) AS kinds
    FROM ${actions}`;
}

function toEntry({ kinds, ...row }: LedgerRow): LedgerEntry {
  return {
    ...row,
    decidedAt: row.decidedAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
    state: toLifeState(kinds),
    outcomes: row.outcomes.map((one) => ({ ...one, at: new Date(one.at).toISOString() })),
  };
}
