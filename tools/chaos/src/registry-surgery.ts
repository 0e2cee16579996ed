import { ARTIFACT_KINDS, type ArtifactKind, toPostgresSchema } from '@perennial/contracts';
import { must, toSha256 } from '@perennial/kernel';
import type { Platform } from '@perennial/launcher';
import { quoteIdentifier, withPool } from '@perennial/postgres';

/** A content as a rollout names it. */
export interface Content {
  readonly kind: ArtifactKind;
  readonly number: number;
  readonly hash: string;
}

/** The registry's table as somebody with the right to write it may leave it; past the commands, and past the links. */
export interface RegistrySurgery {
  /** Bytes that `register` would never have let in, under their right hash. */
  insert(bytes: Buffer): Promise<Content>;
  read(hash: string): Promise<Buffer>;
  write(hash: string, bytes: Buffer): Promise<void>;
}

export function createRegistrySurgery({ endpoints, namespace }: Platform, kind: ArtifactKind): RegistrySurgery {
  const table = `${quoteIdentifier(toPostgresSchema(namespace, ARTIFACT_KINDS[kind].owner))}.registry`;
  const options = { url: endpoints.postgresUrl, applicationName: 'perennial-chaos', connectionsMax: 1 };
  const ask = <Row extends object>(sql: string, values: unknown[]) =>
    withPool(options, async (pool) => (await pool.query<Row>(sql, values)).rows);
  return {
    async insert(bytes) {
      const hash = toSha256(bytes);
      const rows = await ask<{ number: number }>(
        `INSERT INTO ${table} (kind, number, hash, content)
         SELECT $1, max(number) + 1, $2, $3 FROM ${table} WHERE kind = $1 RETURNING number`,
        [kind, hash, bytes],
      );
      return { kind, number: must(rows[0], 'the new number').number, hash };
    },
    async read(hash) {
      const rows = await ask<{ content: Buffer }>(`SELECT content FROM ${table} WHERE hash = $1`, [hash]);
      return must(rows[0], hash).content;
    },
    write: async (hash, bytes) => void (await ask(`UPDATE ${table} SET content = $2 WHERE hash = $1`, [hash, bytes])),
  };
}
