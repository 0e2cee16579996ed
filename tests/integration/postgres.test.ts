import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createArtifactRegistry, createArtifactStore, toArtifactKey } from '@perennial/artifacts';
import { MemoryBlobStore } from '@perennial/blob-store/testing';
import { type ArtifactKind, toPostgresSchema } from '@perennial/contracts';
import { AppError, createRandomToken, must } from '@perennial/kernel';
import type { Pool } from '@perennial/postgres';
import { createPool, inTransaction, migrate, quoteIdentifier } from '@perennial/postgres';
import { createProjectionOffsets } from '@perennial/projection';

describe('postgres', () => {
  const schema = `t_${createRandomToken().replaceAll('-', '_')}`;
  let pool: Pool;

  beforeAll(() => {
    const url = must(process.env.PERENNIAL_TEST_POSTGRES_URL, 'PERENNIAL_TEST_POSTGRES_URL');
    pool = createPool({ url, applicationName: 'test', connectionsMax: 4 });
  });
  afterAll(async () => {
    await pool.query(`DROP SCHEMA IF EXISTS ${quoteIdentifier(schema)} CASCADE`);
    await pool.end();
  });

  it('migrates once, whoever comes at the same time, and rejects a changed migration', async () => {
    const migrations = [
      { name: 'one', sql: 'CREATE TABLE things (id bigint PRIMARY KEY)' },
      { name: 'two', sql: 'INSERT INTO things VALUES (9007199254740991)' },
    ];
    const ran = await Promise.all([1, 2, 3].map(() => migrate(pool, { schema, migrations })));
    expect(ran.flat().sort()).toEqual(['one', 'two']);
    const { rows } = await pool.query(`SELECT id FROM ${quoteIdentifier(schema)}.things`);
    expect(rows).toEqual([{ id: Number.MAX_SAFE_INTEGER }]);
    const changed = [{ name: 'one', sql: 'CREATE TABLE other (id int)' }];
    await expect(migrate(pool, { schema, migrations: changed })).rejects.toMatchObject({
      code: 'dependency_misconfigured',
    });
  });

  it('outlives a connection that breaks in the middle of a transaction', async () => {
    const terminated = inTransaction(pool, async (client) => {
      const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
      const ended = new Promise((resolve) => client.once('end', resolve));
      await pool.query('SELECT pg_terminate_backend($1)', [rows[0].pid]);
      await ended;
      await client.query('SELECT 1');
    });
    await expect(terminated).rejects.toThrow('Client has encountered a connection error and is not queryable');
    expect(await inTransaction(pool, async (client) => (await client.query('SELECT 1 AS one')).rows)).toEqual([
      { one: 1 },
    ]);
  });

  it('rolls back a failed migration whole', async () => {
    const migrations = [{ name: 'three', sql: 'CREATE TABLE half (id int); SELECT 1/0' }];
    await expect(migrate(pool, { schema, migrations })).rejects.toThrow('division by zero');
    const { rows } = await pool.query('SELECT to_regclass($1) AS found', [`${schema}.half`]);
    expect(rows).toEqual([{ found: null }]);
  });

  it('registers the same artifact once, and counts within a kind', async () => {
    const namespace = `t-${createRandomToken().slice(0, 8).toLowerCase()}`;
    const blobs = new MemoryBlobStore();
    const store = createArtifactStore(blobs, { namespace });
    const registry = createArtifactRegistry({ pool, store, namespace });
    await Promise.all([registry.migrate(), registry.migrate()]);
    const register = (kind: ArtifactKind, text: string) => registry.register(kind, Buffer.from(text), { name: 'file' });
    try {
      const first = await Promise.all([1, 2, 3].map(() => register('policy', 'policy: 1')));
      expect(new Set(first.map(({ number }) => number))).toEqual(new Set([1]));
      const numbers = await Promise.all(['a', 'b', 'c', 'd'].map((text) => register('policy', text)));
      expect(numbers.map(({ number }) => number).sort()).toEqual([2, 3, 4, 5]);
      expect((await register('model', 'policy: 1')).number).toBe(1);
      expect(await registry.list('policy')).toHaveLength(5);
      const [model] = await registry.list();
      expect(model).toMatchObject({ kind: 'model', number: 1, name: 'file', bytes: 9 });

      const { hash } = must(first[0], 'artifact');
      blobs.damage(toArtifactKey(namespace, { kind: 'policy', hash }));
      await expect(store.load('policy', hash)).rejects.toThrow('register it again');
      expect((await register('policy', 'policy: 1')).number).toBe(1);
      expect(await store.load('policy', hash)).toEqual(Buffer.from('policy: 1'));
    } finally {
      await pool.query(`DROP SCHEMA IF EXISTS ${quoteIdentifier(toPostgresSchema(namespace, 'artifacts'))} CASCADE`);
    }
  });

  it('leaves no record of an artifact whose bytes could not be stored', async () => {
    const namespace = `t-${createRandomToken().slice(0, 8).toLowerCase()}`;
    const blobs = new MemoryBlobStore();
    blobs.onCall = (operation) => {
      if (operation === 'put') throw new AppError('dependency_unavailable', 'the bucket is away', { retriable: true });
    };
    const registry = createArtifactRegistry({ pool, store: createArtifactStore(blobs, { namespace }), namespace });
    await registry.migrate();
    try {
      await expect(registry.register('policy', Buffer.from('x'), { name: 'file' })).rejects.toThrow('bucket is away');
      expect(await registry.list()).toEqual([]);
    } finally {
      await pool.query(`DROP SCHEMA IF EXISTS ${quoteIdentifier(toPostgresSchema(namespace, 'artifacts'))} CASCADE`);
    }
  });

  it('keeps the offsets of a projection, one writer at a time', async () => {
    const offsets = createProjectionOffsets(pool, { schema, groupId: 'g', topic: 't' });
    expect(await offsets.load(3)).toBeUndefined();
    const advance = (from: number | undefined, to: number) =>
      inTransaction(pool, (client) => offsets.advance(client, 3, from, to));
    expect(await advance(undefined, 5)).toBe(true);
    expect(await advance(undefined, 7)).toBe(false);
    expect(await advance(4, 9)).toBe(false);
    expect(await advance(5, 8)).toBe(true);
    expect(await offsets.load(3)).toBe(8);
  });

  it('says that PostgreSQL is away, and that this may pass', async () => {
    const away = createPool({ url: 'postgres://u:p@127.0.0.1:1/db', applicationName: 'test', connectionsMax: 1 });
    await expect(migrate(away, { schema, migrations: [] })).rejects.toMatchObject({
      code: 'dependency_unavailable',
      retriable: true,
    });
    await away.end();
  });
});
