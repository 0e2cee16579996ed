import { type ArtifactKind, toPostgresSchema } from '@perennial/contracts';
import { must } from '@perennial/kernel';
import { askPostgres, inTransaction, type Migration, migrate, type Pool, quoteIdentifier } from '@perennial/postgres';
import type { ArtifactStore } from './artifact-store.js';

/** An artifact as a rollout names it: `number` counts up from 1 within the kind, `hash` is the SHA-256 in hex. */
export interface Artifact {
  readonly kind: ArtifactKind;
  readonly number: number;
  readonly hash: string;
}

interface ArtifactRecord extends Artifact {
  /** Name of the file or folder that was registered. */
  readonly name: string;
  readonly bytes: number;
  readonly createdAt: Date;
}

/** The artifacts of a namespace that rollouts may name. Each is registered once and never removed. */
export interface ArtifactRegistry {
  /** Creates the tables, or migrates them. */
  migrate(): Promise<void>;
  /**
   * The caller has validated the bytes. The same bytes get the same number again. Throws `limit_exceeded` above the
   * kind's limit.
   */
  register(kind: ArtifactKind, bytes: Buffer, options: { readonly name: string }): Promise<Artifact>;
  /** By kind and number. */
  list(kind?: ArtifactKind): Promise<ArtifactRecord[]>;
}

const MIGRATIONS: readonly Migration[] = [
  {
    name: 'artifacts-1',
    sql: `CREATE TABLE artifacts (
      kind text NOT NULL,
      number integer NOT NULL,
      hash text NOT NULL,
      name text NOT NULL,
      bytes bigint NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (kind, number),
      UNIQUE (kind, hash)
    );`,
  },
];

/** First key of the advisory locks while registering: two that register at once must not get the same number. */
const REGISTRY_LOCK = 7_314_002;

/** The registry of a namespace: records in a PostgreSQL schema that this package owns, bytes in `store`. */
export function createArtifactRegistry(options: {
  readonly pool: Pool;
  readonly store: ArtifactStore;
  readonly namespace: string;
}): ArtifactRegistry {
  const { pool, store, namespace } = options;
  const schema = toPostgresSchema(namespace, 'artifacts');
  const table = `${quoteIdentifier(schema)}.artifacts`;

  return {
    migrate: async () => void (await migrate(pool, { schema, migrations: MIGRATIONS })),

    async register(kind, bytes, { name }) {
      // Bytes first: a crash in between leaves bytes without a record, which registering it again reuses.
      const hash = await store.put(kind, bytes);
      const number = await askPostgres(`registering a ${kind}`, () =>
        inTransaction(pool, async (client) => {
          await client.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [REGISTRY_LOCK, `${schema}/${kind}`]);
          await client.query(
            `INSERT INTO ${table} (kind, number, hash, name, bytes)
             SELECT $1, coalesce(max(number), 0) + 1, $2, $3, $4 FROM ${table} WHERE kind = $1
             ON CONFLICT (kind, hash) DO NOTHING`,
            [kind, hash, name, bytes.length],
          );
          const { rows } = await client.query<{ number: number }>(
            `SELECT number FROM ${table} WHERE kind = $1 AND hash = $2`,
            [kind, hash],
          );
          return must(rows[0], 'the record').number;
        }),
      );
      return { kind, number, hash };
    },

    list: (kind) =>
      askPostgres('listing artifacts', async () => {
        const { rows } = await pool.query<ArtifactRecord>(
          `SELECT kind, number, hash, name, bytes, created_at AS "createdAt" FROM ${table}
           WHERE $1::text IS NULL OR kind = $1 ORDER BY kind, number`,
          [kind ?? null],
        );
        return rows;
      }),
  };
}
