import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AcceptedRecord, TOPICS, type TopicName, toTopic } from '@perennial/contracts';
import { createKafkaLog, createTopics, type Log } from '@perennial/kafka';
import { createSilentLogger } from '@perennial/telemetry';
import { AUTHORIZATION } from '../support/access.js';
import { readTestEnvironment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { readTopic } from '../support/read-topic.js';
import { createRunName } from '../support/run-name.js';
import { createServiceRunner } from '../support/service-process.js';

/*
 * Tracking plans and traits on real Kafka, Redis and PostgreSQL: a plan comes into force without a restart, for both transports;
 * what it calls personal is in no internal topic; traits are served by feature-store.
 */

const PARTITIONS = 2;
const WITHIN = { withinMs: 30_000 };
const PLAN = `
version: 1
personal: [email]
track: {Order Completed: {onViolation: reject, schema: {required: [order_id]}}}
identify: {schema: {properties: {shoe: {type: number, personal: false}}}}
`;

describe('a tracking plan', () => {
  const { brokers } = readTestEnvironment();
  const namespace = `p${createRunName()}`;
  const ingest = createServiceRunner('ingest');
  const features = createServiceRunner('feature-store');
  const connection = { brokers, clientId: 'test', logger: createSilentLogger() };
  const folder = mkdtempSync(join(tmpdir(), 'plans-'));
  let log: Log;

  beforeAll(() => {
    log = createKafkaLog(connection);
  });
  afterAll(async () => {
    await Promise.all([ingest, features].map((service) => service.killAll()));
    await log.close();
    rmSync(folder, { recursive: true });
  });

  function file(name: string, content: string): string {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  }

  const plan = (...args: string[]) => ingest.command(namespace, ['sources', 'plan', ...args]);

  it('is in force without a restart, keeps what is personal out, and decides which traits are kept', async () => {
    const names = Object.keys(TOPICS) as TopicName[];
    const specs = names.map((name) => ({
      name: toTopic(namespace, name),
      partitions: PARTITIONS,
      retentionMs: 3_600_000,
      cleanup: 'delete' as const,
    }));
    await createTopics(connection, specs);
    await ingest.command(namespace, ['migrate']);
    const created = JSON.parse(await ingest.command(namespace, ['sources', 'create', '--name', 'web', '--json']));
    const headers = { authorization: `Bearer ${created.writeKey}` };
    const { url } = await ingest.start(namespace);
    const store = await features.start(namespace);
    const post = async (path: string, body: unknown) =>
      (await fetch(`${url}/v1/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })).status;

    const bad = { userId: 'ada', event: 'Order Completed', properties: { email: 'ada@example.com' } };
    expect(await post('track', bad)).toBe(200);
    await expect(plan('set', 'web', file('bad.yaml', 'version: 1\ntrak: {}\n'))).rejects.toThrow('bad.yaml:2:1');
    expect(await plan('set', 'web', file('plan.yaml', PLAN))).toBe('plan 1 of web is in force within ten seconds');
    await plan('set', 'kafka', file('plan.yaml', PLAN));
    await eventually(async () => (await post('track', bad)) === 400, { ...WITHIN, what: 'the plan in force' });

    expect(
      await post('identify', { userId: 'ada', traits: { email: 'x', name: 'Ada', plan: 'pro', shoe: 44, secret: 1 } }),
    ).toBe(200);
    expect(await post('group', { userId: 'ada', groupId: 'acme' })).toBe(200);
    const producer = await log.createProducer();
    const body = { type: 'track', userId: 'ada', event: 'Odd', properties: { email: 'ada@example.com', page: 1 } };
    const topic = toTopic(namespace, 'eventReceived');
    await producer.send([{ topic, partition: 0, key: null, value: Buffer.from(JSON.stringify(body)), headers: {} }]);
    await producer.close();

    const readProfile = async () =>
      (await (await fetch(`${store.url}/v1/profiles/ada`, { headers: AUTHORIZATION })).json()) as {
        traits: Array<{ name: string; value: unknown }>;
        account: { id: string } | null;
        events: Array<{ name: string }>;
      };
    await eventually(async () => (await readProfile()).events?.some(({ name }) => name === 'Odd'), {
      ...WITHIN,
      what: 'the events in the profile',
    });
    const { traits, account } = await readProfile();
    expect(traits.map(({ name, value }) => [name, value])).toEqual([
      ['plan', 'pro'],
      ['shoe', 44],
    ]);
    expect(account?.id).toBe('acme');

    const accepted = (await readTopic(log, toTopic(namespace, 'eventAccepted'))).flatMap(({ value }) => {
      const { record } = AcceptedRecord.decode(value ?? Buffer.alloc(0));
      return record?.$case === 'event' ? [record.value] : [];
    });
    const judged = accepted.filter((event) => event.plan !== undefined);
    expect(judged.map(({ propertiesJson }) => JSON.parse(String(propertiesJson)))).toEqual(
      expect.arrayContaining([{ plan: 'pro', shoe: 44, secret: 1 }, { groupId: 'acme' }, { page: 1 }]),
    );
    const odd = judged.find(({ name }) => name === 'Odd');
    expect(odd?.plan).toEqual({ number: 1, violations: ['unplanned_event'], outliers: [] });
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toMatch(/ingest_personal_fields_withheld_total\{transport="kafka",source="kafka".*\} 1/);

    await plan('clear', 'web');
    await eventually(async () => (await post('track', bad)) === 200, { ...WITHIN, what: 'the end of the plan' });
    const { plans } = JSON.parse(await plan('history', 'web', '--json')) as { plans: Array<{ hash: string | null }> };
    expect(plans.map(({ hash }) => hash === null)).toEqual([true, false]);
  }, 120_000);
});
