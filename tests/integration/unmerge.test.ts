import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openBlobStore } from '@perennial/blob-store';
import { toTopic } from '@perennial/contracts';
import { EventArchive } from '@perennial/event-archive';
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
 * Two users, one of them with a device, become one profile by a command and are parted again, under load, with kill -9
 * between request and switch. Two others have the same events and never were one: in the end each equals its twin.
 */

const ROOT = join(import.meta.dirname, '../..');
const PARTITIONS = 3;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** By name: the one that is never joined to another user. */
const TWINS = { anna: 'twin of anna', bert: 'twin of bert' } as const;
const USERS = ['anna', 'bert', TWINS.anna, TWINS.bert] as const;
const START_MS = Date.now() - HOUR_MS;

type Features = Readonly<Record<string, number | null>>;

describe('profiles that are joined and parted by hand', () => {
  const environment = readTestEnvironment();
  const namespace = `part${createRunName()}`;
  const home = mkdtempSync(join(tmpdir(), 'perennial-unmerge-'));
  /** Events and orders of each user, his device's among them. */
  const counted = { anna: { events: 0, orders: 0 }, bert: { events: 0, orders: 0 } };
  let sent = 0;
  let log: Log;
  let redis: Redis;
  let platform: Platform;
  let writeKey: string;

  beforeAll(async () => {
    log = createKafkaLog({ brokers: environment.brokers, clientId: 'test', logger: createSilentLogger() });
    redis = await connectRedis({ url: environment.redisUrl, logger: createSilentLogger(), name: 'test' });
    platform = await ensurePlatform({
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
    });
    const args = ['sources', 'create', '--name', 'shop', '--rate', 'unlimited', '--json'];
    writeKey = (JSON.parse(await platform.runCommand('ingest', args)) as { writeKey: string }).writeKey;
  }, 120_000);

  afterAll(async () => {
    await platform?.stop();
    await redis?.quit();
    await log?.close();
    rmSync(home, { recursive: true, force: true });
  }, 60_000);

  it('equal those that never were one, under load and a kill between request and switch', async () => {
    await send(40);
    expect(await change('merge')).toMatchObject({ number: 1, kind: 'merge' });
    const total = () => counted.anna.events + counted.bert.events;
    await untilCounted(() => [total(), total()]);
    const isLoaded = { now: true };
    const load = (async () => {
      // A person's pace: what comes meanwhile is held, and too much of it would interrupt the unmerge.
      while (isLoaded.now) {
        await send(2);
        await setTimeout(200);
      }
    })();
    try {
      expect(await change('unmerge')).toMatchObject({ number: 2, kind: 'unmerge' });
      await platform.kill('feature-store');
      // It is under way: the ledger's state can be read while nobody works on it.
      expect(await readLog()).toMatchObject([{}, { number: 2, state: 'running' }]);
      await platform.restart();
      await eventually(async () => (await readLog())[1]?.state === 'done', { withinMs: 60_000, what: 'the unmerge' });
    } finally {
      isLoaded.now = false;
      await load;
    }
    await send(20);
    await untilCounted(() => [counted.anna.events, counted.bert.events]);
    const [anna, bert, twinOfAnna, twinOfBert] = await readFeatures();
    expect(anna).toMatchObject({ events_count_all: counted.anna.events, orders_count_all: counted.anna.orders });
    expect(bert).toMatchObject({ events_count_all: counted.bert.events, orders_count_all: counted.bert.orders });
    expect({ anna, bert }).toEqual({ anna: twinOfAnna, bert: twinOfBert });
  }, 180_000);

  it('are in the log of changes, with number, who and why', async () => {
    expect(await readLog()).toMatchObject([
      { number: 1, kind: 'merge', state: 'done', by: 'olga', reason: 'to see' },
      { number: 2, kind: 'unmerge', state: 'done', by: 'olga', reason: 'to see' },
    ]);
    expect(await readTopic(log, toTopic(namespace, 'deadLettered'))).toEqual([]);
  }, 30_000);

  it('served what the archive gives, before, during and after', async () => {
    await untilArchived();
    const audit = lastOf(await platform.runCommand('feature-store', ['audit', '--sample', '1000']));
    expect(audit).toMatchObject({ mismatches: 0, first: [] });
  }, 60_000);

  it('are the same when every state is rebuilt from the archive', async () => {
    await untilArchived();
    const before = await readStates();
    await platform.stop();
    await rebuildNamespace(platform, { force: true, onProgress: () => undefined });
    expect(await readStates()).toEqual(before);
  }, 120_000);

  /** Events of both users and of the device of one of them, and the same of their twins. */
  async function send(events: number): Promise<void> {
    const batch = Array.from({ length: events }, () => {
      const number = sent++;
      const isAnna = number % 3 !== 0;
      const isOrder = number % 4 === 0;
      const own = counted[isAnna ? 'anna' : 'bert'];
      own.events += 1;
      own.orders += isOrder ? 1 : 0;
      return [false, true].map((isTwin) => {
        const name = isAnna ? 'anna' : 'bert';
        const suffix = isTwin ? ' of the twin' : '';
        const userId = isTwin ? TWINS[name] : name;
        const anonymousId = `phone${suffix}`;
        // Of three events of anna, one is of her device alone, and one names it.
        const ids = { 1: { anonymousId }, 2: { userId, anonymousId } }[isAnna ? number % 5 : 0] ?? { userId };
        const timestamp = new Date(START_MS - ((number * 13) % 40) * DAY_MS - number).toISOString();
        const order = { event: 'Order Completed', properties: { order_id: `o${number}`, revenue: 1 + (number % 90) } };
        const sent = isOrder ? { type: 'track', ...order } : { type: 'page', name: 'Home' };
        return { ...sent, ...ids, messageId: `m${number}${suffix}`, timestamp };
      });
    }).flat();
    const headers = { authorization: `Bearer ${writeKey}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ batch });
    const response = await fetch(new URL('/v1/batch', platform.urls.ingest), { method: 'POST', headers, body });
    expect(await response.json()).toEqual({ success: true });
  }

  async function change(kind: 'merge' | 'unmerge') {
    const args = ['identities', kind, '--by=olga', '--reason=to see', '--json', '--', 'anna', 'bert'];
    return lastOf(await platform.runCommand('feature-store', args));
  }

  async function readLog(): Promise<ReadonlyArray<{ readonly state: string }>> {
    const output = await platform.runCommand('feature-store', ['identities', 'log', '--json']);
    return (lastOf(output) as { changes: Array<{ state: string }> }).changes;
  }

  async function readFeatures(): Promise<Features[]> {
    const { profiles } = await platform.client.call('getFeaturesOfMany', { body: { userIds: [...USERS] } });
    return profiles.map(({ features }) => features);
  }

  /** Until both users have so many events, and their twins all. */
  async function untilCounted(toWanted: () => readonly number[]): Promise<void> {
    const twins = () => [counted.anna.events, counted.bert.events];
    await eventually(
      async () =>
        expect((await readFeatures()).map((features) => features.events_count_all)).toEqual([
          ...toWanted(),
          ...twins(),
        ]),
      { withinMs: 40_000, what: 'all events' },
    );
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
    await eventually(isArchived, { withinMs: 40_000, what: 'the archive' });
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

function lastOf(output: string): unknown {
  return JSON.parse(output.trim().split('\n').at(-1) ?? '');
}
