import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openBlobStore } from '@perennial/blob-store';
import { toTopic } from '@perennial/contracts';
import { EventArchive } from '@perennial/event-archive';
import { ECOMMERCE_FEATURES, encodeFeatureSpec, type FeatureDefinition } from '@perennial/feature-engine';
import { createKafkaLog, type Log } from '@perennial/kafka';
import { toPartitionKeys } from '@perennial/keyed-processor';
import { ensurePlatform, type Platform, rebuildNamespace } from '@perennial/launcher';
import { connectRedis, type Redis } from '@perennial/redis';
import { createSilentLogger } from '@perennial/telemetry';
import { readTestEnvironment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { createRunName } from '../support/run-name.js';

/*
 * A wider feature spec comes into force while events arrive and the service is killed: what it adds is filled from the
 * archive, and equals a count by hand over all that was ever sent. A rebuild from the archive gives the same bytes.
 */

const ROOT = join(import.meta.dirname, '../..');
const PARTITIONS = 3;
const USERS = Array.from({ length: 40 }, (_, i) => `user ${i}`);
const DAY_MS = 86_400_000;
const PAGE = { type: 'page', name: undefined };
const ORDER = { type: 'track', name: 'Order Completed' };
const PAID = { kind: 'amount', properties: ['paid'], absolute: false } as const;
const GROWN: readonly FeatureDefinition[] = [
  ...ECOMMERCE_FEATURES,
  { name: 'pages_all', unit: 'pages', event: PAGE, aggregation: 'count', windowMs: undefined },
  { name: 'pages_30d', unit: 'pages', event: PAGE, aggregation: 'count', windowMs: 30 * DAY_MS },
  { name: 'paid_max_all', unit: 'points', event: ORDER, measure: PAID, aggregation: 'max', windowMs: undefined },
];

interface Sent {
  readonly userId: string;
  readonly type: string;
  readonly daysAgo: number;
  readonly paid: number;
}

describe('a wider feature spec', () => {
  const environment = readTestEnvironment();
  const namespace = `fill${createRunName()}`;
  const home = mkdtempSync(join(tmpdir(), 'perennial-fill-'));
  const specFile = join(home, 'features.json');
  const sent: Sent[] = [];
  let log: Log;
  let redis: Redis;
  let platform: Platform;
  let writeKey: string;

  const up = (features?: string) =>
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
      artifactPaths: features === undefined ? {} : { features },
    });

  beforeAll(async () => {
    log = createKafkaLog({ brokers: environment.brokers, clientId: 'test', logger: createSilentLogger() });
    redis = await connectRedis({ url: environment.redisUrl, logger: createSilentLogger(), name: 'test' });
    writeFileSync(specFile, encodeFeatureSpec(GROWN));
    platform = await up();
    const args = ['sources', 'create', '--name', 'shop', '--rate', 'unlimited', '--json'];
    writeKey = (JSON.parse(await platform.runCommand('ingest', args)) as { writeKey: string }).writeKey;
  }, 180_000);

  afterAll(async () => {
    await platform?.stop();
    await redis?.quit();
    await log?.close();
    rmSync(home, { recursive: true, force: true });
  }, 60_000);

  it('is filled from the archive under load and kills, and nothing stops', async () => {
    for (let i = 0; i < 20; i++) await send(50);
    expect(await readStatus()).toMatchObject({ state: 'none' });
    let isLoaded = true;
    const load = (async () => {
      while (isLoaded) await send(5);
    })();
    platform = await up(specFile);
    const [during] = await readProfiles();
    // Features of the spec before go on; a new one has no value, or all of it, but never a part.
    expect(during?.features.events_count_all).toBeGreaterThan(0);
    expect([null, countOf('user 0').pages]).toContain(during?.features.pages_all ?? null);
    for (let kill = 0; kill < 2; kill++) {
      await platform.kill('feature-store');
      await platform.restart();
    }
    await eventually(async () => (await readStatus()).state === 'in force', { withinMs: 120_000, what: 'the fill' });
    isLoaded = false;
    await load;
    await checkAll();
    const { partitions } = await readStatus();
    expect(partitions.reduce((sum, { profiles = 0 }) => sum + profiles, 0)).toBeLessThanOrEqual(USERS.length);
  }, 300_000);

  it('counts what comes after that', async () => {
    await send(100);
    await checkAll();
  }, 90_000);

  it('served what the archive gives, in every vector of every profile, before, during and after the fill', async () => {
    await untilArchived();
    const output = await platform.runCommand('feature-store', ['audit', '--sample', '1000']);
    const audit = JSON.parse(output.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
    expect(audit).toMatchObject({ profiles: USERS.length, mismatches: 0, first: [] });
    expect(audit.vectors).toBeGreaterThan(1_000);
  }, 180_000);

  it('is the same when every state is rebuilt from the archive', async () => {
    await untilArchived();
    const before = await readStates();
    expect(Object.keys(before)).toHaveLength(USERS.length);
    await platform.stop();
    await rebuildNamespace(platform, { force: true, onProgress: () => undefined });
    expect(await readStates()).toEqual(before);
  }, 180_000);

  /** A batch of pages and orders of the last days, for any users. */
  async function send(events: number): Promise<void> {
    const drawn = Array.from({ length: events }, (_, i): Sent => {
      const number = sent.length + i;
      const userId = USERS[(number * 7) % USERS.length] as string;
      // Each user in turn has pages and orders.
      const type = Math.floor(number / USERS.length) % 2 === 0 ? 'page' : 'track';
      return { userId, type, daysAgo: (number * 13) % 60, paid: (number * 31) % 997 };
    });
    const first = sent.length;
    const batch = drawn.map(({ userId, type, daysAgo, paid }, i) => ({
      type,
      userId,
      messageId: `m${first + i}`,
      timestamp: new Date(Date.now() - daysAgo * DAY_MS).toISOString(),
      ...(type === 'page' ? { name: 'Home' } : { event: 'Order Completed', properties: { revenue: 1, paid } }),
    }));
    const headers = { authorization: `Bearer ${writeKey}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ batch });
    const response = await fetch(new URL('/v1/batch', platform.urls.ingest), { method: 'POST', headers, body });
    expect(await response.json()).toEqual({ success: true });
    sent.push(...drawn);
  }

  function countOf(userId: string) {
    const own = sent.filter((event) => event.userId === userId);
    const pages = own.filter(({ type }) => type === 'page');
    const paid = own.filter(({ type }) => type === 'track').map((event) => event.paid);
    // None is on the edge of the window: 30 days ago exactly is within it.
    const recent = pages.filter(({ daysAgo }) => daysAgo <= 30);
    return { events: own.length, pages: pages.length, recent: recent.length, paidMax: Math.max(...paid) };
  }

  async function readProfiles() {
    const answer = await platform.client.call('getFeaturesOfMany', { body: { userIds: USERS } });
    return answer.profiles;
  }

  async function checkAll(): Promise<void> {
    const read = async () =>
      (await readProfiles()).map(({ userId, features: f }) => [
        userId,
        { events: f.events_count_all, pages: f.pages_all, recent: f.pages_30d, paidMax: f.paid_max_all },
      ]);
    const expected = USERS.map((userId) => [userId, countOf(userId)]);
    await eventually(
      async () => {
        const found = await read();
        return found.every(([, own], i) => {
          const [, wanted] = expected[i] as [string, { events: number }];
          return (own as { events: number }).events === wanted.events;
        });
      },
      { withinMs: 60_000, what: 'all events' },
    );
    expect(await read()).toEqual(expected);
  }

  async function readStatus() {
    const output = await platform.runCommand('feature-store', ['fill', 'status', '--json']);
    const last = output.trim().split('\n').at(-1) ?? '';
    return JSON.parse(last) as { state: string; partitions: ReadonlyArray<{ profiles?: number }> };
  }

  /** What is in no file yet would not be rebuilt. */
  async function untilArchived(): Promise<void> {
    const offsets = await log.offsets(toTopic(namespace, 'eventAccepted'));
    const folder = fileURLToPath(platform.environmentOf('feature-store').PERENNIAL_ARCHIVE ?? '');
    const archive = new EventArchive(await openBlobStore({ kind: 'folder', folder }), namespace);
    const isArchived = async () => {
      const logs = await archive.list();
      return [...offsets].every(([partition, { high }]) => (logs.get(partition)?.next ?? 0) >= high);
    };
    await eventually(isArchived, { withinMs: 60_000, what: 'the archive' });
  }

  async function readStates(): Promise<Record<string, string>> {
    const all: Record<string, string> = {};
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const states = await redis.hgetallBuffer(toPartitionKeys(namespace, 'feature-store', partition).states);
      for (const [key, bytes] of Object.entries(states)) all[key] = bytes.toString('hex');
    }
    return all;
  }
});
