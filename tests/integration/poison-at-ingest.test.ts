import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AcceptedRecord, type TopicName, toTopic } from '@perennial/contracts';
import { createKafkaLog, createTopics, type Log } from '@perennial/kafka';
import { must } from '@perennial/kernel';
import { createSilentLogger } from '@perennial/telemetry';
import { AUTHORIZATION } from '../support/access.js';
import { readTestEnvironment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { readTopic } from '../support/read-topic.js';
import { runDlq } from '../support/run-cli.js';
import { createRunName } from '../support/run-name.js';
import { createServiceRunner, type RunningService } from '../support/service-process.js';

/*
 * Poison from outside, with ingest and feature-store as processes: bodies that are too large, events that
 * are rejected and re-published corrected, bytes on the internal topic that no build can decode.
 */

const PARTITIONS = 2;
const WITHIN = { withinMs: 30_000 };
const TOPICS: TopicName[] = [
  'eventReceived',
  'actionOutcome',
  'eventAccepted',
  'eventRejected',
  'featureUpdated',
  'deadLettered',
];

describe('poison at ingest', () => {
  const { brokers } = readTestEnvironment();
  const namespace = `poison${createRunName()}`;
  const ingest = createServiceRunner('ingest');
  const featureStore = createServiceRunner('feature-store');
  const connection = { brokers, clientId: 'test', logger: createSilentLogger() };
  let log: Log;
  let running: RunningService;
  let features: RunningService;
  let headers: Record<string, string>;

  beforeAll(async () => {
    log = createKafkaLog(connection);
    const toSpec = (name: TopicName) => ({ name: toTopic(namespace, name), partitions: PARTITIONS });
    await createTopics(
      connection,
      TOPICS.map((name) => ({ ...toSpec(name), retentionMs: 3_600_000, cleanup: 'delete' as const })),
    );
    await ingest.command(namespace, ['migrate']);
    const created = await ingest.command(namespace, ['sources', 'create', '--name', 'shop', '--json']);
    headers = { authorization: `Bearer ${(JSON.parse(created) as { writeKey: string }).writeKey}` };
    [running, features] = await Promise.all([ingest.start(namespace), featureStore.start(namespace)]);
  }, 60_000);

  afterAll(async () => {
    await ingest.killAll();
    await featureStore.killAll();
    await log?.close();
  });

  it('answers 413 to a body of 10 MB, and goes on', async () => {
    const body = JSON.stringify({ type: 'track', userId: 'ada', event: 'x'.repeat(10 * 1024 * 1024) });
    expect((await post(body)).status).toBe(413);
    expect((await post(toOrder({ messageId: 'fine', revenue: 1 }))).status).toBe(200);
  });

  it('lists an event that was rejected and takes it back corrected, once, under the time it came at', async () => {
    expect((await post(toOrder({ messageId: 'wrong', revenue: 'much' }))).status).toBe(400);
    const [rejected] = await list('--rejected', '--cause', 'invalid_revenue');
    const { position, time, kind } = must(rejected, 'a rejected event');
    expect(kind).toBe('track');
    const shown = JSON.parse((await runDlq(namespace, 'show', position, '--rejected', '--json')).stdout) as {
      value: Record<string, unknown>;
    };
    const file = join(tmpdir(), `${namespace}.json`);
    writeFileSync(file, JSON.stringify({ ...shown.value, properties: { order_id: 'o2', revenue: 41 } }));
    for (let i = 0; i < 2; i++) {
      const { code, stdout } = await runDlq(namespace, 'redrive', position, '--rejected', '--with', file);
      expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('re-published 1 to') });
    }
    await eventually(async () => (await readFeature('orders_revenue_sum_all')) === 42, {
      ...WITHIN,
      what: 'the corrected order counts',
    });
    await eventually(async () => (await readAccepted('wrong')).length === 2, { ...WITHIN, what: 'both came in' });
    for (const { timestampMs } of await readAccepted('wrong')) expect(timestampMs).toBe(Date.parse(time));
    expect(await readFeature('orders_count_all')).toBe(2);
  }, 60_000);

  it('goes on behind bytes that cannot be read and kinds that are not known, and keeps them with their cause', async () => {
    const producer = await log.createProducer();
    const key = Buffer.from('k');
    // Field 1000 of AcceptedRecord, which no schema will have soon.
    const values = [Buffer.from([0xff, 0xff]), Buffer.from([0xc2, 0x3e, 0x01, 0x00])];
    for (let partition = 0; partition < PARTITIONS; partition++)
      await producer.send(
        values.map((value) => ({ topic: toTopic(namespace, 'eventAccepted'), partition, key, value, headers: {} })),
      );
    await producer.close();
    expect((await post(toOrder({ messageId: 'behind', revenue: 1 }))).status).toBe(200);
    await eventually(async () => (await readFeature('orders_count_all')) === 3, {
      ...WITHIN,
      what: 'the order counts',
    });
    await eventually(async () => (await list()).length === 2 * PARTITIONS, { ...WITHIN, what: 'dead letters' });
    const unknown = await list('--processor', 'feature-store', '--cause', 'neither event, tick nor rollout');
    expect(unknown.map(({ kind, key: shown }) => [kind, shown])).toEqual(Array(PARTITIONS).fill(['undecodable', 'k']));
    const { code } = await runDlq(namespace, 'redrive', '--all');
    expect(code).toBe(0);
    await eventually(async () => (await list()).length === 4 * PARTITIONS, { ...WITHIN, what: 'rejected again' });
    expect(await readFeature('orders_count_all')).toBe(3);
  }, 60_000);

  const post = (body: string) => fetch(`${running.url}/v1/track`, { method: 'POST', headers, body });

  async function list(...args: readonly string[]) {
    const { stdout } = await runDlq(namespace, 'list', '--json', ...args);
    const { entries } = JSON.parse(stdout) as {
      entries: Array<{ position: string; time: string; kind: string; key: string | null }>;
    };
    return entries;
  }

  async function readFeature(name: string): Promise<unknown> {
    const response = await fetch(`${features.url}/v1/features/ada`, { headers: AUTHORIZATION });
    const profile = (await response.json()) as { features: Record<string, unknown> };
    return profile.features[name];
  }

  async function readAccepted(messageId: string) {
    const records = await readTopic(log, toTopic(namespace, 'eventAccepted'));
    return records.flatMap(({ value }) => {
      const event = toEvent(value);
      return event?.messageId === messageId ? [event] : [];
    });
  }
});

function toOrder({ messageId, revenue }: { messageId: string; revenue: unknown }): string {
  const properties = { order_id: messageId, revenue };
  return JSON.stringify({ type: 'track', event: 'Order Completed', userId: 'ada', messageId, properties });
}

function toEvent(value: Buffer | null) {
  const { record } = AcceptedRecord.decode(must(value, 'value'));
  return record?.$case === 'event' ? record.value : undefined;
}
