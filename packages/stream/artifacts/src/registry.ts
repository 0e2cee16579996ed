import { AppError, assert, must, toSha256 } from '@perennial/kernel';
import type { Migration, Pool } from '@perennial/postgres';
import { askPostgres, inTransaction, migrate, quoteIdentifier } from '@perennial/postgres';

/** One content of one kind; `number` counts up from 1 within the kind, `hash` is the content's SHA-256 in hex. */
export interface Registration {
  readonly kind: string;
  readonly number: number;
  readonly hash: string;
}

export interface RegistrationInfo extends Registration {
  readonly bytes: number;
  readonly registeredAt: Date;
}

/** What rollouts name: models, policies, lifecycles, each content once and for ever. */
export interface Registry {
  migrate(): Promise<void>;
  /**
   * The same content gets the same number again, and is put in place of bytes that were damaged since. Throws
   * `limit_exceeded` above CONTENT_BYTES_MAX.
   */
  register(kind: string, content: Buffer): Promise<Registration>;
  /** Throws `not_found`; `dependency_unavailable` (retriable) when PostgreSQL is away; `contract_violation` when the stored bytes are not what the hash says. */
  load(hash: string): Promise<Buffer>;
  /** By number. */
  list(kind: string): Promise<RegistrationInfo[]>;
}

/** Models of this project are far smaller; what is larger belongs into a blob store. */
export const CONTENT_BYTES_MAX = 64 * 1_048_576;

const MIGRATIONS: readonly Migration[] = [
  {
    name: 'registry-1',
    sql: `CREATE TABLE registry (
      kind text NOT NULL,
      number integer NOT NULL,
      hash text NOT NULL,
      content bytea NOT NULL,
      registered_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (kind, number),
      UNIQUE (kind, hash)
    );
    CREATE INDEX registry_hash ON registry (hash);`,
  },
];

/** First key of the advisory locks of registrations: two that come together must not get one number. */
const REGISTRY_LOCK = 7_314_002;

/** A registry in one PostgreSQL schema. */
export function createRegistry(pool: Pool, { schema }: { schema: string }): Registry {
  const table = `${quoteIdentifier(schema)}.registry`;

  return {
    migrate: async () => void (await migrate(pool, { schema, migrations: MIGRATIONS })),
    register: (kind, content) =>
      askPostgres(`registering a ${kind}`, () => {
        assert(kind !== '', 'a registration has a kind');
        if (content.length > CONTENT_BYTES_MAX) {
          throw new AppError(
            'limit_exceeded',
            `a ${kind} of ${content.length} bytes is over the limit of ${CONTENT_BYTES_MAX}`,
          );
        }
        const hash = toSha256(content);
        return inTransaction(pool, async (client) => {
          await client.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [REGISTRY_LOCK, `${schema}/${kind}`]);
          const found = await client.query<{ number: number; intact: boolean }>(
            `SELECT number, encode(sha256(content), 'hex') = hash AS intact FROM ${table} WHERE kind = $1 AND hash = $2`,
            [kind, hash],
          );
          const known = found.rows[0];
          if (known !== undefined && !known.intact) {
            await client.query(`UPDATE ${table} SET content = $3 WHERE kind = $1 AND hash = $2`, [kind, hash, content]);
          }
          if (known !== undefined) return { kind, number: known.number, hash };
          const added = await client.query<{ number: number }>(
            `INSERT INTO ${table} (kind, number, hash, content)
             SELECT $1, coalesce(max(number), 0) + 1, $2, $3 FROM ${table} WHERE kind = $1 RETURNING number`,
            [kind, hash, content],
          );
          return { kind, number: must(added.rows[0], 'the new number').number, hash };
        });
      }),
    load: (hash) =>
      askPostgres(`loading ${hash}`, async () => {
        const { rows } = await pool.query<{ content: Buffer }>(`SELECT content FROM ${table} WHERE hash = $1 LIMIT 1`, [
          hash,
        ]);
        const content = rows[0]?.content;
        if (content === undefined) throw new AppError('not_found', `nothing is registered under ${hash}`);
        if (toSha256(content) !== hash)
          throw new AppError('contract_violation', `what is registered under ${hash} is damaged: register it again`);
        return content;
      }),
    list: (kind) =>
      askPostgres(`listing ${kind}`, async () => {
        const { rows } = await pool.query<RegistrationInfo>(
          `SELECT kind, number, hash, length(content) AS bytes, registered_at AS "registeredAt" FROM ${table} WHERE kind = $1 ORDER BY number`,
          [kind],
        );
        return rows;
      }),
  };
}
