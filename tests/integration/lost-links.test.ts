import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FaultyLink } from '@perennial/chaos';
import { must } from '@perennial/kernel';
import { createPool, inTransaction, type Pool } from '@perennial/postgres';
import { connectRedis, type Redis } from '@perennial/redis';
import { createSilentLogger } from '@perennial/telemetry';
import { eventually } from '../support/eventually.js';

/** Opens a faulty link to a server of the tests; returns the URL that leads through it. */
async function openLink(variable: string): Promise<{ link: FaultyLink; url: string }> {
  const url = new URL(must(process.env[variable], variable));
  const link = await FaultyLink.listen({ host: url.hostname, port: Number(url.port) });
  url.port = String(link.port);
  return { link, url: url.toString() };
}

/* A connection may be lost without notice to either end; the kernel gives up after a quarter of an hour. */

describe('a connection to Redis that is lost', () => {
  let link: FaultyLink;
  let redis: Redis;

  beforeEach(async () => {
    const opened = await openLink('PERENNIAL_TEST_REDIS_URL');
    link = opened.link;
    redis = await connectRedis({ url: opened.url, logger: createSilentLogger(), name: 'lost link' });
  });

  afterEach(async () => {
    redis.disconnect();
    await link.close();
  });

  it('is made anew', async () => {
    expect(await redis.ping()).toBe('PONG');
    link.lose();
    await expect(redis.ping()).rejects.toThrow();
    await eventually(() => redis.ping(), { withinMs: 5_000, what: 'an answer over a new connection' });
  });
});

describe('a connection to PostgreSQL that is lost', () => {
  let link: FaultyLink;
  let pool: Pool;

  beforeEach(async () => {
    const opened = await openLink('PERENNIAL_TEST_POSTGRES_URL');
    link = opened.link;
    pool = createPool({ url: opened.url, applicationName: 'lost link', connectionsMax: 1, statementTimeoutMs: 100 });
  });

  afterEach(async () => {
    await pool.end();
    await link.close();
  });

  it('is made anew, also when it is lost in the middle of a transaction', async () => {
    const lost = inTransaction(pool, async (client) => {
      await client.query('SELECT 1');
      link.lose();
      await client.query('SELECT 1');
    });
    await expect(lost).rejects.toThrow('Query read timeout');
    expect(await inTransaction(pool, async (client) => (await client.query('SELECT 1 AS one')).rows)).toEqual([
      { one: 1 },
    ]);
    link.lose();
    await expect(pool.query('SELECT 1')).rejects.toThrow('Query read timeout');
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });
});
