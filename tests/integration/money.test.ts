import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { toTopic } from '@perennial/contracts';
import { createKafkaLog, type Log } from '@perennial/kafka';
import { toPartitionKeys } from '@perennial/keyed-processor';
import { ensurePlatform, type Platform, rebuildNamespace } from '@perennial/launcher';
import { connectRedis, type Redis } from '@perennial/redis';
import { createSilentLogger } from '@perennial/telemetry';
import { readTestEnvironment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { readTopic } from '../support/read-topic.js';
import { createRunName } from '../support/run-name.js';

/*
 * Orders in several currencies, before and after another rate table is put in force, and an order under two message ids:
 * what is served equals a count by hand, and so do the states that the archive gives back.
 */

const ROOT = join(import.meta.dirname, '../..');
const CASE = join(ROOT, '../shared/cases/c11-currencies.json');
const PARTITIONS = 2;
const WITHIN = { withinMs: 60_000 };
const USERS = ['ada', 'c11', 'eve'];

const FIRST = 'version: 1\ncurrency: USD\nrates:\n  EUR: 1.25\n  JPY: [{ from: 2000-01-01, rate: 0.01 }]\n';
const SECOND = 'version: 1\ncurrency: USD\nrates:\n  EUR: 1.5\n  JPY: [{ from: 2000-01-01, rate: 0.02 }]\n  CHF: 2\n';

/** As in the case of public reports, which is read instead where it is present. */
const CASE_BATCH = [
  { revenue: 10, currency: 'USD' },
  { revenue: 1500, currency: 'JPY' },
  { revenue: 9, currency: 'EUR' },
].map((properties, i) => ({
  type: 'track',
  userId: 'c11',
  messageId: `c11-${i}`,
  event: 'Order Completed',
  properties,
}));

describe('money in several currencies', () => {
  const environment = readTestEnvironment();
  const namespace = `money${createRunName()}`;
  const home = mkdtempSync(join(tmpdir(), 'perennial-money-'));
  const connection = { brokers: environment.brokers, clientId: 'test', logger: createSilentLogger() };
  const tables = {
    first: join(home, 'first.yaml'),
    second: join(home, 'second.yaml'),
    euros: join(home, 'euros.yaml'),
  };
  let log: Log;
  let redis: Redis;
  let platform: Platform;
  let writeKey: string;

  const up = (rates?: string) =>
    ensurePlatform({
      root: ROOT,
      home,
      namespace,
      partitions: PARTITIONS,
      clockMode: 'wall',
      endpoints: {
        kafkaBrokers: environment.brokers.join(','),
        redisUrl: environment.redisUrl,
        postgresUrl: environment.postgresUrl,
      },
      environment: { PERENNIAL_ARCHIVE_WINDOW_SECONDS: '1' },
      artifactPaths: rates === undefined ? {} : { rates },
    });

  beforeAll(async () => {
    log = createKafkaLog(connection);
    redis = await connectRedis({ url: environment.redisUrl, logger: createSilentLogger(), name: 'test' });
    writeFileSync(tables.first, FIRST);
    writeFileSync(tables.second, SECOND);
    writeFileSync(tables.euros, FIRST.replace('USD', 'EUR').replace('  EUR: 1.25\n', ''));
    platform = await up(tables.first);
    const args = ['sources', 'create', '--name', 'zurich', '--currency', 'chf', '--json'];
    writeKey = (JSON.parse(await platform.runCommand('ingest', args)) as { writeKey: string }).writeKey;
  }, 180_000);

  afterAll(async () => {
    await platform?.stop();
    await redis?.quit();
    await log?.close();
    rmSync(home, { recursive: true, force: true });
  }, 60_000);

  it('is added up in the currency of the namespace, and features say so', async () => {
    await send(existsSync(CASE) ? (JSON.parse(readFileSync(CASE, 'utf8')) as { batch: unknown[] }).batch : CASE_BATCH);
    await untilOrders('c11', 3);
    const { features, units } = await platform.client.call('getFeatures', { path: { userId: 'c11' }, query: {} });
    expect(features).toMatchObject({ orders_revenue_sum_all: 10 + 15 + 11.25, orders_revenue_sum_30d: 36.25 });
    expect(units).toMatchObject({ orders_revenue_sum_all: 'USD', orders_count_all: 'orders' });
  }, 90_000);

  it("counts an order in the source's currency that the table lacks, in no sum, and reports it", async () => {
    await send([order('eve', 'm1', { revenue: 7 }), order('eve', 'm2', { total: 5, currency: 'usd' })]);
    await untilOrders('eve', 2);
    expect(await readFeatures('eve')).toMatchObject({ orders_revenue_sum_all: 5 });
    const metrics = await (await fetch(new URL('/metrics', platform.urls['feature-store']))).text();
    expect(metrics).toMatch(/features_amounts_unconverted_total\{[^}]*currency="CHF"[^}]*\} 1\n/);
  }, 90_000);

  it('counts an order once that client and server send', async () => {
    const properties = { order_id: 'o-1', revenue: 40, currency: 'EUR' };
    await send([
      order('ada', 'client', properties),
      order('ada', 'server', properties),
      order('ada', 'other', { order_id: 'o-2' }),
    ]);
    await untilOrders('ada', 2);
    expect(await readFeatures('ada')).toMatchObject({ orders_revenue_sum_all: 50, events_count_all: 2 });
  }, 90_000);

  it('is converted by the table in force at its position: what was counted before stays', async () => {
    await up(tables.second);
    await send([order('eve', 'm3', { revenue: 7 }), order('eve', 'm4', { revenue: 1000, currency: 'JPY' })]);
    await untilOrders('eve', 4);
    expect(await readFeatures('eve')).toMatchObject({ orders_revenue_sum_all: 5 + 14 + 20 });
    await expect(up(tables.euros)).rejects.toThrow('its currency is EUR, but the sums of this namespace are in USD');
    expect(await readTopic(log, toTopic(namespace, 'deadLettered'))).toEqual([]);
    // What is invalid is not remembered.
    await up();
  }, 180_000);

  it('is the same when every state is rebuilt from the archive', async () => {
    const before = await readStates();
    expect(Object.keys(before)).toHaveLength(USERS.length);
    await platform.stop();
    await rebuildNamespace(platform, { force: true, onProgress: () => undefined });
    expect(await readStates()).toEqual(before);
  }, 180_000);

  async function send(batch: readonly unknown[]): Promise<void> {
    const headers = { authorization: `Bearer ${writeKey}`, 'content-type': 'application/json' };
    const request = { method: 'POST', headers, body: JSON.stringify({ batch }) };
    const response = await fetch(new URL('/v1/batch', platform.urls.ingest), request);
    expect(await response.json()).toEqual({ success: true });
  }

  const readFeatures = async (userId: string) =>
    (await platform.client.call('getFeatures', { path: { userId }, query: {} })).features;

  const untilOrders = (userId: string, orders: number) =>
    eventually(async () => (await readFeatures(userId)).orders_count_all === orders, {
      ...WITHIN,
      what: `${orders} orders of ${userId}`,
    });

  async function readStates(): Promise<Record<string, string>> {
    const all: Record<string, string> = {};
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const states = await redis.hgetallBuffer(toPartitionKeys(namespace, 'feature-store', partition).states);
      for (const [key, bytes] of Object.entries(states)) all[key] = bytes.toString('hex');
    }
    return all;
  }
});

function order(userId: string, messageId: string, properties: object) {
  return { type: 'track', userId, messageId, event: 'Order Completed', properties };
}
