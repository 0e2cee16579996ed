import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openRowLedger } from '@perennial/backfill';
import { toPostgresSchema } from '@perennial/contracts';
import { createKafkaLog, type Log } from '@perennial/kafka';
import type { Platform } from '@perennial/launcher';
import { withPool } from '@perennial/postgres';
import { createSilentLogger } from '@perennial/telemetry';
import { backfillFile, readFeatures, startNamespace } from '../support/backfilled-namespace.js';
import { readTestEnvironment } from '../support/environment.js';
import { createRunName } from '../support/run-name.js';

/*
 * A shop exports all of its orders every week. Between two exports the namespace's time moves on by years, which is far
 * longer than message ids are remembered; each row must count once all the same.
 */

const ROOT = join(import.meta.dirname, '../..');
const HEADER = 'user_id,ts,event_type,item_id,session_id,quantity,value,extra';
const WEEK = ['01', '05', '09'].map((day) => `g1,2024-03-${day}T10:00:00Z,purchase,p1,s${day},1,10,`);
const TWICE = Array.from({ length: 2 }, () => 'g2,2024-03-02T10:00:00Z,purchase,p1,,1,7,');

describe('an export that grows', () => {
  const environment = readTestEnvironment();
  const home = mkdtempSync(join(tmpdir(), 'perennial-grown-'));
  const namespace = `grown${createRunName()}`;
  let log: Log;
  let platform: Platform;

  beforeAll(async () => {
    log = createKafkaLog({ brokers: environment.brokers, clientId: 'test', logger: createSilentLogger() });
    platform = await startNamespace({ environment, root: ROOT, home, namespace });
  }, 60_000);

  afterAll(async () => {
    await platform?.stop();
    await log?.close();
    rmSync(home, { recursive: true, force: true });
  }, 30_000);

  const backfill = (name: string, lines: readonly string[], end = '\n') => {
    const file = join(home, name);
    writeFileSync(file, [HEADER, ...lines].join(end));
    return backfillFile(platform, log, { file });
  };
  const countOrders = async () => {
    const found = await readFeatures(platform, ['g1', 'g2']);
    return found.map(({ features }) => [features.orders_count_all, features.orders_revenue_sum_all]);
  };

  it('counts each row once, under another name, years later', async () => {
    const monday = await backfill('orders.csv', [...WEEK, ...TWICE]);
    expect(monday.events).toMatchObject({ sent: 5, repeated: 0 });
    expect(await countOrders()).toEqual([
      [3, 30],
      [2, 14],
    ]);
    await backfill('other.csv', ['g3,2026-01-01T10:00:00Z,purchase,p1,s1,1,10,']);
    const grown = ['g1,2024-03-13T10:00:00Z,purchase,p1,s13,1,10,', ...TWICE, ...[...WEEK].reverse()];
    const tuesday = await backfill('orders (1).csv', grown, '\r\n');
    expect(tuesday).toMatchObject({ repeatedRows: 5, events: { sent: 1, repeated: 5, accepted: 1 }, settled: true });
    expect(await countOrders()).toEqual([
      [4, 40],
      [2, 14],
    ]);
  }, 240_000);

  it('keeps the rows in PostgreSQL, however many come at once, until all are forgotten', async () => {
    const url = { url: environment.postgresUrl, applicationName: 'test', connectionsMax: 1 };
    await withPool(url, async (pool) => {
      const ledger = await openRowLedger(pool, toPostgresSchema(`${namespace}x`, 'backfill'));
      const ids = Buffer.from(Array.from({ length: 8 * 450_000 }, (_, at) => at % 251));
      const orders = Buffer.from(Array.from({ length: 16 * 4_500 }, (_, at) => at % 241));
      await ledger.append({ ids: ids.subarray(0, 8), orders: orders.subarray(0, 0) }, 5);
      await ledger.append({ ids: ids.subarray(8), orders: orders.subarray(0, 16 * 4_000) }, 7);
      await ledger.append({ ids: ids.subarray(0, 0), orders: orders.subarray(16 * 4_000) }, 7);
      expect(await ledger.summarize()).toEqual({ ids: 450_000, logTimeMs: 7 });
      const read: Array<{ ids: Buffer; orders: Buffer }> = [];
      for await (const entry of ledger.read()) read.push(entry);
      expect(Buffer.concat(read.map((entry) => entry.ids)).equals(ids)).toBe(true);
      expect(Buffer.concat(read.map((entry) => entry.orders)).equals(orders)).toBe(true);
      await ledger.clear();
      expect(await ledger.summarize()).toEqual({ ids: 0, logTimeMs: undefined });
    });
  }, 60_000);
});
