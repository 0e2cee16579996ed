import type { Migration, Pool, PoolClient } from '@perennial/postgres';
import { migrate, quoteIdentifier } from '@perennial/postgres';

const MIGRATIONS: readonly Migration[] = [
  {
    name: 'projection-offsets-1',
    sql: `CREATE TABLE projection_offsets (
      group_id text NOT NULL,
      topic text NOT NULL,
      partition integer NOT NULL,
      next bigint NOT NULL,
      PRIMARY KEY (group_id, topic, partition)
    )`,
  },
];

/** The offset of a projection, stored with the rows that it has written. */
export interface ProjectionOffsets {
  /**
   * The offset of the first record not yet written; undefined when none was ever written. Creates the table when it is
   * missing.
   */
  load(partition: number): Promise<number | undefined>;
  /**
   * Called in the transaction of the inserts; false when another consumer has advanced meanwhile, so they must be
   * rolled back.
   */
  advance(client: PoolClient, partition: number, from: number | undefined, to: number): Promise<boolean>;
}

export function createProjectionOffsets(
  pool: Pool,
  options: { schema: string; groupId: string; topic: string },
): ProjectionOffsets {
  const { schema, groupId, topic } = options;
  const table = `${quoteIdentifier(schema)}.projection_offsets`;
  let migrated: Promise<unknown> | undefined;

  async function ensureTable(): Promise<void> {
    migrated ??= migrate(pool, { schema, migrations: MIGRATIONS });
    try {
      await migrated;
    } catch (error) {
      migrated = undefined;
      throw error;
    }
  }

  return {
    async load(partition) {
      await ensureTable();
      const { rows } = await pool.query<{ next: number }>(
        `SELECT next FROM ${table} WHERE group_id = $1 AND topic = $2 AND partition = $3`,
        [groupId, topic, partition],
      );
      return rows[0]?.next;
    },
    async advance(client, partition, from, to) {
      const { rowCount } =
        from === undefined
          ? await client.query(
              `INSERT INTO ${table} (group_id, topic, partition, next) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
              [groupId, topic, partition, to],
            )
          : await client.query(
              `UPDATE ${table} SET next = $5 WHERE group_id = $1 AND topic = $2 AND partition = $3 AND next = $4`,
              [groupId, topic, partition, from, to],
            );
      return rowCount === 1;
    },
  };
}
