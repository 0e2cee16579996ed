import { toPostgresSchema } from '@perennial/contracts';
import { AppError, createRandomToken, isAppError, must, toSha256 } from '@perennial/kernel';
import { inTransaction, type Migration, migrate, type Pool, quoteIdentifier, runQuery } from '@perennial/postgres';
import type { Scope } from './scopes.js';
import { createTokenText } from './token-text.js';

/** A token as operators see it; its secret is not stored. */
export interface ListedToken {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
}

/** What a route needs to know of a token. */
export interface Grant {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expiresAtMs: number | null;
}

/** Where a route looks tokens up. */
export interface GrantStore {
  /** The token with this hash, unless revoked. Throws `dependency_unavailable` when the store cannot be read. */
  findByHash(secretHash: string): Promise<Grant | undefined>;
}

export interface NewToken {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt: Date | null;
}

/** The tokens of a namespace in PostgreSQL: only a hash of each is kept (256 random bits, so a plain SHA-256 cannot be guessed back). */
export interface TokenStore extends GrantStore {
  /** Creates the tables or updates them. */
  migrate(): Promise<void>;
  /** Throws `conflict` when an active token has this name. */
  create(token: NewToken): Promise<ListedToken & { readonly token: string }>;
  /**
   * Puts a token that its holder made in force; it replaces the active token of that name. Repeating it changes
   * nothing. Throws `conflict` for a revoked token.
   */
  import(token: NewToken, text: string): Promise<ListedToken>;
  list(): Promise<ListedToken[]>;
  /** Throws `not_found` when no token has this name or id; repeating it changes nothing. */
  revoke(nameOrId: string): Promise<ListedToken>;
}

const MIGRATIONS: readonly Migration[] = [
  {
    name: '001-tokens',
    // A name is free again once its token is revoked, so that a token can be replaced under the same name.
    sql: `
      CREATE TABLE tokens (
        id text PRIMARY KEY,
        name text NOT NULL,
        scopes text[] NOT NULL,
        secret_hash text NOT NULL UNIQUE,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz,
        revoked_at timestamptz
      );
      CREATE UNIQUE INDEX tokens_name_in_use ON tokens (name) WHERE revoked_at IS NULL`,
  },
];

/** First key of the advisory locks of imports: of two at once, the second must find what the first has written. */
const IMPORT_LOCK = 7_314_003;

type TokenRow = {
  id: string;
  name: string;
  scopes: Scope[];
  secret_hash: string;
  created_at: Date;
  expires_at: Date | null;
  revoked_at: Date | null;
};

export function createTokenStore(pool: Pool, namespace: string): TokenStore {
  const schema = toPostgresSchema(namespace, 'access');
  const table = `${quoteIdentifier(schema)}.tokens`;
  const insertSql = `INSERT INTO ${table} (id, name, scopes, secret_hash, expires_at) VALUES ($1, $2, $3, $4, $5) RETURNING *`;
  const toValues = ({ name, scopes, expiresAt }: NewToken, text: string) => [
    `tok_${createRandomToken()}`,
    name,
    [...scopes],
    toSha256(text),
    expiresAt,
  ];

  return {
    async migrate() {
      await migrate(pool, { schema, migrations: MIGRATIONS });
    },

    async findByHash(secretHash) {
      const sql = `SELECT * FROM ${table} WHERE secret_hash = $1 AND revoked_at IS NULL`;
      const [row] = await runQuery<TokenRow>(pool, sql, [secretHash]);
      return row === undefined ? undefined : toGrant(row);
    },

    async create(token) {
      const text = createTokenText();
      try {
        const [row] = await runQuery<TokenRow>(pool, insertSql, toValues(token, text));
        return { ...toListed(must(row, 'the new row')), token: text };
      } catch (error) {
        if (!isAppError(error, 'conflict')) throw error;
        const message = `there is already a token named ${JSON.stringify(token.name)}: revoke it first`;
        throw new AppError('conflict', message, { cause: error });
      }
    },

    import: (token, text) =>
      inTransaction(pool, async (client) => {
        await runQuery(client, 'SELECT pg_advisory_xact_lock($1, hashtext($2))', [IMPORT_LOCK, schema]);
        const bySecret = `SELECT * FROM ${table} WHERE secret_hash = $1`;
        const [kept] = await runQuery<TokenRow>(client, bySecret, [toSha256(text)]);
        if (kept !== undefined && kept.revoked_at !== null) {
          throw new AppError('conflict', `the token ${JSON.stringify(kept.name)} was revoked: make another`);
        }
        if (kept !== undefined) return toListed(kept);
        await runQuery(client, `UPDATE ${table} SET revoked_at = now() WHERE name = $1 AND revoked_at IS NULL`, [
          token.name,
        ]);
        const [row] = await runQuery<TokenRow>(client, insertSql, toValues(token, text));
        return toListed(must(row, 'the new row'));
      }),

    async list() {
      return (await runQuery<TokenRow>(pool, `SELECT * FROM ${table} ORDER BY created_at, id`)).map(toListed);
    },

    async revoke(nameOrId) {
      // At most one of the tokens with this name is active: it comes first.
      const sql = `UPDATE ${table} SET revoked_at = COALESCE(revoked_at, now()) WHERE id = (
        SELECT id FROM ${table} WHERE name = $1 OR id = $1 ORDER BY revoked_at DESC NULLS FIRST LIMIT 1) RETURNING *`;
      const [row] = await runQuery<TokenRow>(pool, sql, [nameOrId]);
      if (row === undefined) throw new AppError('not_found', `there is no token ${JSON.stringify(nameOrId)}`);
      return toListed(row);
    },
  };
}

function toGrant({ id, name, scopes, expires_at: expiresAt }: TokenRow): Grant {
  return { id, name, scopes, expiresAtMs: expiresAt?.getTime() ?? null };
}

function toListed(row: TokenRow): ListedToken {
  const { id, name, scopes, created_at: createdAt, expires_at: expiresAt, revoked_at: revokedAt } = row;
  return {
    id,
    name,
    scopes,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt?.toISOString() ?? null,
    revokedAt: revokedAt?.toISOString() ?? null,
  };
}
