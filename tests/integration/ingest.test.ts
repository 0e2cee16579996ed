import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AcceptedRecord, type TopicName, toTopic } from '@perennial/contracts';
import { createKafkaLog, createTopics, type Log } from '@perennial/kafka';
import { must } from '@perennial/kernel';
import { createSilentLogger } from '@perennial/telemetry';
import { AUTHORIZATION } from '../support/access.js';
import { readTestEnvironment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { readTopic } from '../support/read-topic.js';
import { createRunName } from '../support/run-name.js';
import { createServiceRunner } from '../support/service-process.js';

/*
 * The front door as a process, on real Kafka and PostgreSQL: commands, both transports, ticks, `kill -9` under load.
 * Every event answered with 200, or on `event.received`, must be in `event.accepted` or `event.rejected`.
 */

const PARTITIONS = 3;
const WITHIN = { withinMs: 30_000 };
const CREATE = ['sources', 'create', '--name', 'shop', '--json'];

describe('ingest as a process', () => {
  const { brokers } = readTestEnvironment();
  const run = createRunName();
  const service = createServiceRunner('ingest');
  const connection = { brokers, clientId: 'test', logger: createSilentLogger() };
  let log: Log;

  const byEvents = { PERENNIAL_CLOCK_MODE: 'events' };

  async function provision(namespace: string) {
    const names: TopicName[] = ['eventReceived', 'actionOutcome', 'eventAccepted', 'eventRejected'];
    const specs = names.map((name) => ({
      name: toTopic(namespace, name),
      partitions: PARTITIONS,
      retentionMs: 3_600_000,
      cleanup: 'delete' as const,
    }));
    await createTopics(connection, specs);
    await service.command(namespace, ['migrate']);
    const created = JSON.parse(await service.command(namespace, CREATE)) as { writeKey: string };
    return { headers: { authorization: `Bearer ${created.writeKey}` } };
  }

  async function readAccepted(namespace: string) {
    const records = await readTopic(log, toTopic(namespace, 'eventAccepted'));
    return records.map(({ value, partition, timestampMs }) => ({
      partition,
      timestampMs,
      record: must(AcceptedRecord.decode(value ?? Buffer.alloc(0)).record, 'a record'),
    }));
  }

  const readMessageIds = async (namespace: string) =>
    (await readAccepted(namespace)).flatMap(({ record }) => (record.$case === 'event' ? [record.value.messageId] : []));

  beforeAll(() => {
    log = createKafkaLog(connection);
  });
  afterAll(async () => {
    await service.killAll();
    await log.close();
  });

  it('provisions by commands, each of which may be run again', async () => {
    const namespace = `c${run}`;
    await provision(namespace);
    const ask = async (...args: string[]): Promise<unknown> => JSON.parse(await service.command(namespace, args));
    await service.command(namespace, ['migrate']);
    await expect(service.command(namespace, CREATE)).rejects.toThrow();
    const shop = { name: 'shop', eventsPerSecondMax: 1000, revokedAt: null };
    expect(await ask('sources', 'list', '--json')).toMatchObject({ sources: [shop] });
    await service.command(namespace, ['sources', 'update', 'shop', '--rate', '50']);
    expect(await service.command(namespace, ['sources', 'list'])).toMatch(/ {2}shop {2}50\/s$/);
    expect(await ask('sources', 'update', 'shop', '--rate', 'unlimited', '--json')).toMatchObject({
      name: 'shop',
      eventsPerSecondMax: null,
    });
    expect(await ask('sources', 'update', 'shop', '--reports', '--json')).toMatchObject({ reports: true });
    expect(await service.command(namespace, ['sources', 'list'])).toMatch(/ {2}shop {2}unlimited {2}reports$/);
    expect(await ask('sources', 'update', 'shop', '--no-reports', '--json')).toMatchObject({ reports: false });
    await expect(service.command(namespace, ['sources', 'update', 'shop'])).rejects.toThrow('--reports');
    await expect(service.command(namespace, ['sources', 'update', 'other', '--rate', '5'])).rejects.toThrow('other');
    await service.command(namespace, ['sources', 'create', '--name', 'hasty', '--rate', 'unlimited', '--json']);
    const unlimited = ['shop', 'hasty'].map((name) => ({ name, eventsPerSecondMax: null }));
    expect(await ask('sources', 'list', '--json')).toMatchObject({ sources: unlimited });
    const args = ['rollout', '--kind', 'policy', '--number', '1', '--hash', 'a'.repeat(64)];
    expect(await ask(...args)).toMatchObject({ written: [0, 1, 2] });
    expect(await ask(...args)).toMatchObject({ written: [] });
    expect((await readAccepted(namespace)).map(({ partition, record }) => [partition, record.$case])).toEqual([
      [0, 'rollout'],
      [1, 'rollout'],
      [2, 'rollout'],
    ]);
  }, 60_000);

  it('has rules about ids rolled out once each process reads by them', async () => {
    // That of the test before: each command is a process, which takes seconds on a busy machine.
    const namespace = `c${run}`;
    const registry = createServiceRunner('feature-store');
    const file = 'infra/presets/saas/identity.yaml';
    const { hash } = JSON.parse(await registry.command(namespace, ['register', 'identity', file])) as { hash: string };
    const running = await service.start(namespace);
    const readHash = async () => {
      const answer = await fetch(`${running.url}/v1/rules`, { headers: AUTHORIZATION });
      return ((await answer.json()) as { identity: { hash: string | null } }).identity.hash;
    };
    expect(await readHash()).toBeNull();
    const args = ['rollout', '--kind', 'identity', '--number', '1', '--hash', hash];
    expect(JSON.parse(await service.command(namespace, args))).toMatchObject({ written: [0, 1, 2] });
    expect(await readHash()).toBe(hash);
    expect(await service.end(running, 'SIGTERM')).toBe(0);
  }, 120_000);

  it('takes both transports, ticks each partition, and loses nothing to kill -9', async () => {
    const namespace = `k${run}`;
    const { headers } = await provision(namespace);
    const received = toTopic(namespace, 'eventReceived');
    const producer = await log.createProducer();
    const expected = new Set<string>();
    for (let i = 0; i < 3000; i++) expected.add(`kafka-${i}`);
    const toBody = (messageId: string) => ({ type: 'track', messageId, userId: `u${messageId}`, event: 'x' });
    const records = [...expected].map((messageId, i) => ({
      topic: received,
      partition: i % PARTITIONS,
      key: null,
      value: Buffer.from(JSON.stringify(toBody(messageId))),
      headers: {},
    }));
    await producer.send([...records, { ...must(records[0], 'a record'), value: Buffer.from('not json') }]);
    await producer.close();

    // Killed while it answers and consumes; events without a 200 are sent again, as an SDK does.
    const first = await service.start(namespace);
    const acknowledged: string[] = [];
    const sending = (async () => {
      for (let i = 0; ; i++) {
        const messageId = `http-${i}`;
        const body = JSON.stringify(toBody(messageId));
        const response = await fetch(`${first.url}/v1/track`, { method: 'POST', headers, body }).catch(() => undefined);
        if (response === undefined) return;
        if (response.status === 200) acknowledged.push(messageId);
      }
    })();
    await eventually(async () => acknowledged.length > 200, { ...WITHIN, what: 'events answered' });
    await service.end(first, 'SIGKILL');
    await sending;
    for (const messageId of acknowledged) expected.add(messageId);

    const second = await service.start(namespace);
    await eventually(
      async () => {
        const found = new Set(await readMessageIds(namespace));
        return [...expected].every((messageId) => found.has(messageId));
      },
      { ...WITHIN, what: 'every event accepted' },
    );
    const rejected = await readTopic(log, toTopic(namespace, 'eventRejected'));
    expect(new Set(rejected.map(({ headers: { ce_id } }) => ce_id)).size).toBe(1);
    await eventually(async () => (await fetch(`${second.url}/health/ready`)).status === 200, {
      ...WITHIN,
      what: 'ready',
    });
    await eventually(
      async () => {
        const ticks = (await readAccepted(namespace)).flatMap(({ record, partition, timestampMs }) =>
          record.$case === 'tick' && record.value.timeMs > 0
            ? [{ partition, skewMs: timestampMs - record.value.timeMs }]
            : [],
        );
        expect(new Set(ticks.map(({ partition }) => partition)).size).toBe(PARTITIONS);
        expect(Math.max(...ticks.map(({ skewMs }) => Math.abs(skewMs)))).toBeLessThan(5_000);
      },
      { ...WITHIN, what: 'ticks on every partition' },
    );
    expect(await service.end(second, 'SIGTERM')).toBe(0);
  }, 120_000);

  it('is driven by POST /v1/clock where events bring the time', async () => {
    const namespace = `e${run}`;
    await provision(namespace);
    const headers = { 'content-type': 'application/json', ...AUTHORIZATION };
    const first = await service.start(namespace, byEvents);
    const producer = await log.createProducer();
    const value = Buffer.from(
      JSON.stringify({ type: 'track', userId: 'u', event: 'x', messageId: 'm', timestamp: '1997-01-01T05:00:00Z' }),
    );
    await producer.send([{ topic: toTopic(namespace, 'eventReceived'), partition: 1, key: null, value, headers: {} }]);
    await producer.close();
    const body = JSON.stringify({ from: '1997-01-01', to: '1997-01-02', received: { 1: 1 } });
    const moved = await fetch(`${first.url}/v1/clock`, { method: 'POST', headers, body });
    expect(await moved.json()).toEqual({ logTime: '1997-01-02T00:00:00.000Z' });
    const records = await readAccepted(namespace);
    expect(records.filter(({ record }) => record.$case === 'tick')).toHaveLength(25 * PARTITIONS);
    const partitionOfEvent = must(
      records.find(({ record }) => record.$case === 'event'),
      'the event',
    ).partition;
    const kinds = records.filter(({ partition }) => partition === partitionOfEvent).map(({ record }) => record.$case);
    expect(kinds[0]).toBe('event');

    await service.end(first, 'SIGKILL');
    const again = await service.start(namespace, byEvents);
    const read = await fetch(`${again.url}/v1/clock`, { headers });
    expect(await read.json()).toEqual({ mode: 'events', logTime: '1997-01-02T00:00:00.000Z' });
    expect(await service.end(again, 'SIGTERM')).toBe(0);
  }, 120_000);
});
