import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createKafkaLog, type Log } from '@perennial/kafka';
import type { Platform } from '@perennial/launcher';
import { createSilentLogger } from '@perennial/telemetry';
import { backfillFile, readFeatures, startNamespace } from '../support/backfilled-namespace.js';
import { readTestEnvironment } from '../support/environment.js';
import { createRunName } from '../support/run-name.js';

/*
 * A real purchase history sent to the front door over Kafka: every order of the file up to a time counts once in the
 * features; expected values are computed independently. The data is not in the project; without it the test is skipped.
 */

const ROOT = join(import.meta.dirname, '../..');
const FILE = join(ROOT, '../shared/data/cdnow.csv.gz');
const UNTIL_MS = Date.UTC(1997, 0, 20);

if (!existsSync(FILE)) process.stderr.write(`skipped: there is no ${FILE}\n`);
const describeWithData = existsSync(FILE) ? describe : describe.skip;

describeWithData('a real purchase history', () => {
  const environment = readTestEnvironment();
  const run = createRunName();
  const home = mkdtempSync(join(tmpdir(), 'perennial-real-'));
  let log: Log;
  let platform: Platform;

  beforeAll(async () => {
    log = createKafkaLog({ brokers: environment.brokers, clientId: 'test', logger: createSilentLogger() });
    platform = await startNamespace({ environment, root: ROOT, home, namespace: `real${run}` });
  }, 60_000);

  afterAll(async () => {
    await platform?.stop();
    await log?.close();
    rmSync(home, { recursive: true, force: true });
  }, 60_000);

  it('is found whole in the features, and is left alone the second time', async () => {
    const expected = countOrders();
    const orders = [...expected.values()].reduce((sum, { count }) => sum + count, 0);
    const result = await backfillFile(platform, log, { file: FILE, untilMs: UNTIL_MS, via: 'kafka' });
    expect(result).toMatchObject({ settled: true, events: { sent: orders, accepted: orders, rejected: 0 } });
    const profiles = await readFeatures(platform, [...expected.keys()]);
    for (const { userId, asOf, features } of profiles) {
      expect(asOf).toBe(new Date(UNTIL_MS).toISOString());
      const { count, cents } = expected.get(userId) ?? { count: 0, cents: 0 };
      const found = {
        count: features.orders_count_all,
        cents: Math.round(Number(features.orders_revenue_sum_all) * 100),
      };
      expect({ userId, ...found }).toEqual({ userId, count, cents });
    }
    const again = await backfillFile(platform, log, { file: FILE, untilMs: UNTIL_MS, via: 'kafka' });
    expect(again).toMatchObject({ events: { sent: 0 } });
  }, 180_000);
});

/** Orders and their sum by user, up to and including the time, without the project's reader: the file has no quotes. */
function countOrders(): Map<string, { count: number; cents: number }> {
  const [header, ...lines] = gunzipSync(readFileSync(FILE)).toString().trim().split(/\r?\n/);
  expect(header).toBe('user_id,ts,event_type,item_id,session_id,quantity,value,extra');
  const users = new Map<string, { count: number; cents: number }>();
  for (const line of lines) {
    const [userId = '', ts = '', , , , , value = ''] = line.split(',');
    if (Date.parse(ts) > UNTIL_MS) continue;
    const { count, cents } = users.get(userId) ?? { count: 0, cents: 0 };
    users.set(userId, { count: count + 1, cents: cents + Math.round(Number(value) * 100) });
  }
  return users;
}
