import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createRegistry } from '@perennial/artifacts';
import { createRandomToken, must } from '@perennial/kernel';
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

  it('migrates once, whoever comes at the same time, and refuses a changed migration', async () => {
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

  it('registers the same content once, counts within a kind, and loads by hash', async () => {
    const registry = createRegistry(pool, { schema });
    await registry.migrate();
    await registry.migrate();
    const policy = Buffer.from('policy: 1');
    const first = await Promise.all([1, 2, 3].map(() => registry.register('policy', policy)));
    expect(new Set(first.map(({ number }) => number))).toEqual(new Set([1]));
    const numbers = await Promise.all(
      ['a', 'b', 'c', 'd'].map((text) => registry.register('policy', Buffer.from(text))),
    );
    expect(numbers.map(({ number }) => number).sort()).toEqual([2, 3, 4, 5]);
    expect((await registry.register('model', Buffer.from([0, 255, 0]))).number).toBe(1);
    expect(await registry.load(must(first[0], 'registration').hash)).toEqual(policy);
    expect(await registry.list('policy')).toHaveLength(5);
    await expect(registry.load('nothing')).rejects.toMatchObject({ code: 'not_found' });

    const { hash } = must(first[0], 'registration');
    await pool.query(`UPDATE ${quoteIdentifier(schema)}.registry SET content = 'policy: 2' WHERE hash = $1`, [hash]);
    await expect(registry.load(hash)).rejects.toThrow('is damaged: register it again');
    expect((await registry.register('policy', policy)).number).toBe(1);
    expect(await registry.load(hash)).toEqual(policy);
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
