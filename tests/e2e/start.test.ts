import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ActionCancelled, type ActionChanged, type TopicName, toTopic } from '@perennial/contracts';
import { createKafkaLog, type Log, type LogProducer } from '@perennial/kafka';
import { must } from '@perennial/kernel';
import { ensurePlatform, type Platform } from '@perennial/launcher';
import { createSilentLogger } from '@perennial/telemetry';
import { readTestEnvironment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { readTopic } from '../support/read-topic.js';
import { createRunName } from '../support/run-name.js';

/*
 * The platform as users start it: a model is registered in processes of its own, comes into force and scores what the
 * front door takes; what is decided is carried out by others, who report what came of it. `./perennial test` runs this under
 * each supported version of Node.js, whose limits of memory differ.
 */

const ROOT = join(import.meta.dirname, '../..');
const PARTITIONS = 2;
const WITHIN = { withinMs: 30_000 };
const TIMEOUT_MS = 60_000;

/** An action for each of the first three orders, at any hour and for everybody, three a day. */
const POLICY = `version: 1
name: reports
caps: [{ max: 3, per: 1d }]
channels: { email: {} }
strategies:
${[1, 2, 3]
  .map(
    (order) => `  order_${order}:
    stages: [prospect, new, activated, engaged, loyal, at_risk, dormant, churned, won_back]
    on: scored
    channel: email
    template: thanks
    cost: 0.01
    cooldown: 30d
    when: features.orders_count_all >= ${order} && features.orders_count_all < ${order + 1}
`,
  )
  .join('')}`;

describe(`a platform started under Node.js ${process.versions.node}`, () => {
  const { brokers, redisUrl, postgresUrl } = readTestEnvironment();
  const home = mkdtempSync(join(tmpdir(), 'perennial-start-'));
  const namespace = `start${createRunName()}`;
  let platform: Platform;
  let log: Log;
  let producer: LogProducer;
  let writeKey: string;

  beforeAll(async () => {
    const policy = join(home, 'policy.yaml');
    writeFileSync(policy, POLICY);
    platform = await ensurePlatform({
      root: ROOT,
      home,
      namespace,
      clockMode: 'wall',
      partitions: PARTITIONS,
      endpoints: { kafkaBrokers: brokers.join(','), redisUrl, postgresUrl },
      artifactPaths: { policy },
    });
    const output = await platform.runCommand('ingest', ['sources', 'create', '--name', 'start', '--reports', '--json']);
    const source = JSON.parse(must(output.trim().split('\n').at(-1), 'a source')) as { writeKey: string };
    writeKey = source.writeKey;
    log = createKafkaLog({ brokers, clientId: 'test', logger: createSilentLogger() });
    producer = await log.createProducer();
  }, 180_000);

  afterAll(async () => {
    await producer?.close();
    await log?.close();
    await platform?.stop();
    rmSync(home, { recursive: true, force: true });
  }, 60_000);

  it(
    'scores a profile by the registered model',
    async () => {
      await order('a', 1, '2024-03-01T10:00:00Z');
      const check = async () => {
        const profile = await platform.client.call('getProfile', { path: { userId: 'a' } });
        expect(profile).toMatchObject({ known: true, scores: { purchase: expect.any(Number) } });
      };
      await eventually(check, { ...WITHIN, what: 'a score' });
    },
    TIMEOUT_MS,
  );

  it(
    'shows what came of an action, reported over HTTP and Kafka, each event of the provider once',
    async () => {
      await order('ada', 1);
      const [action] = await untilActions('ada', ['order_1 decided']);
      const { actionId, profileKey } = must(action, 'an action');
      const delivered = { actionId, userId: 'ada', outcome: 'delivered', messageId: 'mail-1', timestamp: now() };
      const opened = { ...delivered, outcome: 'opened', messageId: 'mail-2', timestamp: now(), channel: 'email' };
      await post('/v1/outcomes', delivered);
      await reportOverKafka(delivered, opened, { ...opened, messageId: 'mail-3', outcome: 'delivered' });
      const [after] = await untilActions('ada', ['order_1 opened']);
      const readChanges = () => readData<ActionChanged>('actionChanged', profileKey);
      await eventually(async () => (await readChanges()).length >= 3, { ...WITHIN, what: 'all outcomes' });
      expect(await readChanges()).toMatchObject([
        { actionId, messageId: 'mail-1', outcome: 'delivered', state: 'delivered', known: true },
        { actionId, messageId: 'mail-2', outcome: 'opened', state: 'opened', channel: 'email' },
        { actionId, messageId: 'mail-3', outcome: 'delivered', state: 'opened' },
      ]);
      const shown = await platform.client.call('getAction', { path: { actionId } });
      expect({ ...shown, outcomes: [] }).toEqual({ ...must(after, 'an action'), outcomes: [] });
    },
    TIMEOUT_MS,
  );

  it(
    'counts contacts of other systems in caps, those of a profile of which nothing else is known too',
    async () => {
      const contacts = [1, 2, 3].map((number) => {
        const timestamp = new Date(Date.now() - number * 60_000).toISOString();
        return { userId: 'ben', channel: 'sms', messageId: `sms-${number}`, timestamp };
      });
      await post('/v1/contacts', [...contacts, ...contacts]);
      await eventually(async () => (await readContacts('ben')) === 3, { ...WITHIN, what: 'the contacts' });
      await order('ben', 1);
      await untilSuppressed('overall_cap');
      expect(await listActions('ben')).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'stops after an unsubscribe, and says once which actions are not to be carried out any more',
    async () => {
      await order('cy', 1);
      const [first] = await untilActions('cy', ['order_1 decided']);
      await order('cy', 2);
      const [second] = await untilActions('cy', ['order_2 decided', 'order_1 decided']);
      const { actionId, profileKey } = must(first, 'an action');
      const report = { actionId, userId: 'cy', outcome: 'unsubscribed', channel: 'email', timestamp: now() };
      await post('/v1/outcomes', { ...report, messageId: 'mail-4' });
      await reportOverKafka({ ...report, messageId: 'mail-4' }, { ...report, messageId: 'mail-5' });
      await untilActions('cy', ['order_2 cancelled', 'order_1 unsubscribed']);
      await order('cy', 3);
      await untilSuppressed('withdrawn');
      expect(await listActions('cy')).toHaveLength(2);
      expect(await readData<ActionCancelled>('actionCancelled', profileKey)).toMatchObject([
        { actionId: second?.actionId, userId: 'cy', strategy: 'order_2', channel: 'email', reason: 'withdrawn' },
      ]);
      expect(await readTopic(log, toTopic(namespace, 'deadLettered'))).toEqual([]);
    },
    TIMEOUT_MS,
  );

  function order(userId: string, number: number, timestamp = now()): Promise<void> {
    const messageId = `${userId}-${number}`;
    const properties = { order_id: messageId, revenue: 3 };
    return post('/v1/track', { userId, messageId, event: 'Order Completed', timestamp, properties });
  }

  async function post(path: string, body: unknown): Promise<void> {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${writeKey}` };
    const request = { method: 'POST', headers, body: JSON.stringify(body) };
    const response = await fetch(`${platform.urls.ingest}${path}`, request);
    expect([response.status, await response.json()]).toEqual([200, { success: true }]);
  }

  /** All in one partition, so that they are taken in this order. */
  function reportOverKafka(...outcomes: readonly object[]): Promise<void> {
    const place = { topic: toTopic(namespace, 'actionOutcome'), partition: 1, key: null, headers: {} };
    return producer.send(outcomes.map((outcome) => ({ ...place, value: Buffer.from(JSON.stringify(outcome)) })));
  }

  async function listActions(userId: string) {
    return (await platform.client.call('listActions', { query: { userId } })).actions;
  }

  /** Until the ledger has these actions, newest first, each as strategy and state. */
  async function untilActions(userId: string, wanted: readonly string[]) {
    const isThere = async () => {
      const found = await listActions(userId);
      expect(found.map(({ strategy, state }) => `${strategy} ${state}`)).toEqual(wanted);
    };
    await eventually(isThere, { ...WITHIN, what: `actions of ${userId}: ${wanted.join(', ')}` });
    return listActions(userId);
  }

  async function untilSuppressed(reason: string): Promise<void> {
    const isCounted = async () => {
      const { process: counted } = await platform.client.call('getActionSummary');
      return (counted.suppressed[reason] ?? 0) > 0;
    };
    await eventually(isCounted, { ...WITHIN, what: `no action because of ${reason}` });
  }

  async function readContacts(userId: string): Promise<number> {
    return (await platform.client.call('getContacts', { path: { userId } })).contacts.length;
  }

  /** What outsiders read of a profile in a topic of JSON. */
  async function readData<Data extends { readonly profileKey: string }>(topic: TopicName, profileKey: string) {
    const records = await readTopic(log, toTopic(namespace, topic));
    const all = records.map(({ value }) => JSON.parse(String(value)) as Data);
    return all.filter((data) => data.profileKey === profileKey);
  }
});

function now(): string {
  return new Date().toISOString();
}
