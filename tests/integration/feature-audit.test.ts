import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AcceptedRecord, TOPICS, toPartition, toTopic } from '@perennial/contracts';
import { createKafkaLog, createTopics, type Log, type OutgoingRecord } from '@perennial/kafka';
import { must } from '@perennial/kernel';
import { toPartitionKeys } from '@perennial/keyed-processor';
import { createPseudonymizer } from '@perennial/privacy';
import { connectRedis, type Redis } from '@perennial/redis';
import { createSilentLogger } from '@perennial/telemetry';
import { readTestEnvironment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { createRunName } from '../support/run-name.js';
import { createServiceRunner, type RunningService, SECRET } from '../support/service-process.js';

/*
 * The audit that runs in the feature-store, on real Kafka, Redis and archive: a bit flipped in a stored profile is found,
 * with its evidence in a metric and by `audit mismatches`, and nothing else is.
 */

const PARTITIONS = 2;
const USERS = Array.from({ length: 20 }, (_, i) => `user ${i}`);
const ORDER_MS = 1_000;

describe('the running audit of features', () => {
  const { brokers, redisUrl } = readTestEnvironment();
  const namespace = `audit${createRunName()}`;
  const archive = mkdtempSync(join(tmpdir(), 'perennial-audit-'));
  const variables = { PERENNIAL_ARCHIVE: pathToFileURL(archive).href, PERENNIAL_ARCHIVE_WINDOW_SECONDS: '1' };
  const service = createServiceRunner('feature-store');
  const pseudonymizer = createPseudonymizer(SECRET);
  let log: Log;
  let redis: Redis;
  let running: RunningService;
  let sent = 0;

  beforeAll(async () => {
    const logger = createSilentLogger();
    log = createKafkaLog({ brokers, clientId: 'test', logger });
    redis = await connectRedis({ url: redisUrl, logger, name: 'test' });
    const topics = (['eventAccepted', 'featureUpdated', 'deadLettered'] as const).map((name) => {
      const { cleanup } = TOPICS[name];
      return { name: toTopic(namespace, name), partitions: PARTITIONS, cleanup, retentionMs: -1 };
    });
    await createTopics({ brokers, clientId: 'test', logger }, topics);
    running = await service.start(namespace, variables);
  }, 90_000);

  afterAll(async () => {
    await service.killAll();
    await redis?.quit();
    await log?.close();
    rmSync(archive, { recursive: true, force: true });
  });

  it('finds a bit that is flipped in Redis, and says which value of which profile differs', async () => {
    const producer = await log.createProducer();
    for (let i = 0; i < 3; i++) await producer.send(USERS.map((userId) => toOrder(userId)));
    // A file of the archive is closed by a record of a later second: other profiles go on.
    const feed = async () => {
      await producer.send(USERS.slice(1).map((userId) => toOrder(userId)));
      await new Promise((resolve) => setTimeout(resolve, ORDER_MS));
    };
    const until = (what: string, name: string, value: number) => {
      const check = async () => {
        await feed();
        return (await readMetric(name)) >= value;
      };
      return eventually(check, { withinMs: 120_000, what });
    };
    await until('an audit of every profile', 'feature_audit_passes_total', PARTITIONS);
    expect(await readMetric('feature_skew_mismatches_total')).toBe(0);
    await flipBit(must(USERS[0], 'a user'));
    await until('the mismatch', 'feature_skew_mismatches_total', 1);
    await producer.close();
    const { mismatches } = JSON.parse(await service.command(namespace, ['audit', 'mismatches'], variables)) as {
      mismatches: Array<Record<string, unknown>>;
    };
    const profileKey = pseudonymizer.toProfileKey({ userId: 'user 0' });
    expect(new Set(mismatches.map((found) => found.profileKey))).toEqual(new Set([profileKey]));
    expect(mismatches[0]).toMatchObject({
      partition: toPartition(profileKey, PARTITIONS),
      offset: expect.any(Number),
      feature: expect.any(String),
      served: expect.any(String),
      recomputed: expect.any(String),
    });
    const status = JSON.parse(await service.command(namespace, ['audit', 'status'], variables)) as object;
    expect(status).toMatchObject({ passes: [expect.any(Number), expect.any(Number)], mismatches: expect.any(Number) });
  }, 300_000);

  it('takes the distributions of an export to compare with, and says everything that is wrong with them', async () => {
    const ask = async (...args: string[]) =>
      JSON.parse(await service.command(namespace, ['drift', ...args], variables));
    expect(await ask('status')).toEqual({ hasBaseline: false, profiles: 0, features: [] });
    const file = join(archive, 'manifest.json');
    writeFileSync(file, JSON.stringify({ distributions: { orders_count_all: { edges: [2, 1], shares: [] } } }));
    await expect(ask('baseline', file)).rejects.toThrow('orders_count_all.edges must be at most 9 ascending numbers');
    writeFileSync(file, JSON.stringify({ distributions: { orders_count_all: { edges: [2], shares: [0.5, 0.5, 0] } } }));
    expect(await ask('baseline', file)).toEqual({ features: 1 });
    expect(await ask('status')).toMatchObject({ hasBaseline: true });
  }, 60_000);

  /** The lowest bit of the sum of revenues; of the byte in the middle where that is not found. */
  async function flipBit(userId: string): Promise<void> {
    const key = pseudonymizer.toProfileKey({ userId });
    const { states } = toPartitionKeys(namespace, 'feature-store', toPartition(key, PARTITIONS));
    const bytes = must(await redis.hgetBuffer(states, key), 'a state');
    const at = bytes.indexOf(toDouble(99));
    const place = at >= 0 ? at : bytes.length >> 1;
    bytes.writeUInt8(bytes.readUInt8(place) ^ 1, place);
    await redis.hset(states, key, bytes);
  }

  async function readMetric(name: string): Promise<number> {
    const text = await (await fetch(`${running.url}/metrics`)).text();
    return Number(new RegExp(`^${name}\\{[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
  }

  function toOrder(userId: string): OutgoingRecord {
    const profileKey = pseudonymizer.toProfileKey({ userId });
    const nowMs = Date.now();
    sent += 1;
    const value = {
      messageId: `m${sent}`,
      sourceId: 's',
      subject: Buffer.from('sealed'),
      anonymous: false,
      type: 'track',
      name: 'Order Completed',
      timestampMs: nowMs,
      receivedAtMs: nowMs,
      propertiesJson: Buffer.from(JSON.stringify({ revenue: 33 })),
      timeZone: '',
      currency: '',
      plan: undefined,
      namedIds: [],
      forwardedTo: undefined,
      traits: undefined,
    };
    return {
      topic: toTopic(namespace, 'eventAccepted'),
      partition: toPartition(profileKey, PARTITIONS),
      key: Buffer.from(profileKey),
      value: Buffer.from(AcceptedRecord.encode({ record: { $case: 'event', value } }).finish()),
      headers: {},
    };
  }
});

function toDouble(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}
