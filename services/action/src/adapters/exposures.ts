import type { ExperimentAssigned } from '@perennial/contracts';
import type { LogRecord } from '@perennial/kafka';
import { type Migration, type Pool, type PoolClient, quoteIdentifier } from '@perennial/postgres';
import type { PageKind } from '@perennial/service-host';

/** The first exposure of a profile to an experiment: the one that counts. */
interface StoredExposure {
  readonly profileKey: string;
  readonly arm: string;
  readonly propensity: number;
  readonly firstAt: string;
}

interface ArmTotals {
  readonly experiment: string;
  readonly layer: string;
  readonly arm: string;
  readonly propensity: number;
  readonly profiles: number;
  readonly firstAt: string;
  readonly lastAt: string;
}

/** Who is in which arm: a projection of `experiment.assigned`. */
export interface Exposures {
  /** Writes a batch within the projection's transaction. Records of a profile come in their order, so the first one stays. */
  insert(client: PoolClient, records: readonly LogRecord[]): Promise<void>;
  /** In the order of the time of exposure, starting after `after`. */
  list(experiment: string, range: { after: ExposurePosition | undefined; limit: number }): Promise<StoredExposure[]>;
  totals(): Promise<ArmTotals[]>;
}

export interface ExposurePosition {
  readonly firstAt: string;
  readonly profileKey: string;
}

/** Several profiles may be exposed at the same time: the key breaks the tie. */
export const EXPOSURE_PAGES: PageKind<ExposurePosition> = {
  name: 'exposures',
  isPosition(value): value is ExposurePosition {
    const { firstAt, profileKey } = (value ?? {}) as Partial<Record<keyof ExposurePosition, unknown>>;
    return typeof firstAt === 'string' && !Number.isNaN(Date.parse(firstAt)) && typeof profileKey === 'string';
  },
};

export const EXPOSURE_MIGRATIONS: readonly Migration[] = [
  {
    name: 'exposures-1',
    sql: `
      CREATE TABLE exposures (
        experiment text NOT NULL,
        profile_key text NOT NULL,
        layer text NOT NULL,
        arm text NOT NULL,
        propensity double precision NOT NULL,
        policy_version bigint NOT NULL,
        first_at timestamptz NOT NULL,
        PRIMARY KEY (experiment, profile_key)
      );
      CREATE INDEX exposures_by_time ON exposures (experiment, first_at, profile_key)`,
  },
];

const COLUMNS = `experiment text, "profileKey" text, layer text, arm text, propensity double precision,
  "policyVersion" bigint, at timestamptz, row bigint`;

export function createExposures(pool: Pool, schema: string): Exposures {
  const exposures = `${quoteIdentifier(schema)}.exposures`;
  return {
    async insert(client, records) {
      const rows = records.map(({ value }, row) => ({
        ...(JSON.parse((value ?? Buffer.from('null')).toString('utf8')) as ExperimentAssigned),
        row,
      }));
      // Sorted by the key, so that two concurrent writers cannot deadlock; of one batch the first record of a key.
      await client.query(
        `INSERT INTO ${exposures}
         SELECT DISTINCT ON (experiment, "profileKey") experiment, "profileKey", layer, arm, propensity, "policyVersion", at
         FROM jsonb_to_recordset($1::jsonb) AS rows (${COLUMNS}) ORDER BY experiment, "profileKey", row
         ON CONFLICT (experiment, profile_key) DO NOTHING`,
        [JSON.stringify(rows)],
      );
    },
    async list(experiment, { after, limit }) {
      const { rows } = await pool.query<Omit<StoredExposure, 'firstAt'> & { readonly firstAt: Date }>(
        `SELECT profile_key AS "profileKey", arm, propensity, first_at AS "firstAt" FROM ${exposures}
         WHERE experiment = $1 AND ($2::timestamptz IS NULL OR (first_at, profile_key) > ($2, $3))
         ORDER BY first_at, profile_key LIMIT $4`,
        [experiment, after?.firstAt ?? null, after?.profileKey ?? null, limit],
      );
      return rows.map((row) => ({ ...row, firstAt: row.firstAt.toISOString() }));
    },
    async totals() {
      type Row = Omit<ArmTotals, 'firstAt' | 'lastAt'> & { readonly firstAt: Date; readonly lastAt: Date };
      const { rows } = await pool.query<Row>(
        `SELECT experiment, layer, arm, max(propensity) AS propensity, count(*)::int AS profiles,
           min(first_at) AS "firstAt", max(first_at) AS "lastAt"
         FROM ${exposures} GROUP BY experiment, layer, arm ORDER BY experiment, arm`,
      );
      return rows.map((row) => ({ ...row, firstAt: row.firstAt.toISOString(), lastAt: row.lastAt.toISOString() }));
    },
  };
}
