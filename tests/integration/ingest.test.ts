import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AcceptedRecord, type TopicName, toTopic } from '@perennial/contracts';
import { createKafkaLog, createTopics, type Log } from '@perennial/kafka';
import { createRandomToken, must } from '@perennial/kernel';
import { createSilentLogger } from '@perennial/telemetry';
import { readTestEnvironment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { readTopic } from '../support/read-topic.js';

/*
 * The front door as a process, on real Kafka and PostgreSQL: commands, both doors, ticks, `kill -9` in the middle of a
 * flood. What was answered with 200, or lies on `event.received`, is found in `event.accepted` or `event.rejected`.
 */

const MAIN = join(import.meta.dirname, '../../services/ingest/dist/main.js');
const PARTITIONS = 3;
const WITHIN = { withinMs: 30_000 };

interface Running {
  readonly process: ChildProcess;
  readonly url: string;
}

describe('ingest as a process', () => {
  const { brokers, postgresUrl } = readTestEnvironment();
  const run = createRandomToken()
    .slice(0, 8)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '0');
  const connection = { brokers, clientId: 'test', logger: createSilentLogger() };
  const children = new Set<ChildProcess>();
  let log: Log;

  const toEnv = (namespace: string, clockMode = 'wall') => ({
    PATH: process.env.PATH,
    PERENNIAL_NAMESPACE: namespace,
    PERENNIAL_CLOCK_MODE: clockMode,
    PERENNIAL_SECRET: 'integration tests have a secret of their own',
    KAFKA_BROKERS: brokers.join(','),
    POSTGRES_URL: postgresUrl,
    PORT: '0',
  });

  async function command(env: Record<string, string | undefined>, ...args: string[]): Promise<Record<string, unknown>> {
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...args], { env });
    const line = stdout
      .trim()
      .split('\n')
      .findLast((text) => text.startsWith('{'));
    return line === undefined ? {} : JSON.parse(line);
  }

  async function start(env: Record<string, string | undefined>): Promise<Running> {
    const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    children.add(child);
    child.once('exit', () => children.delete(child));
    for await (const line of createInterface({ input: must(child.stdout, 'standard output') })) {
      const { url } = JSON.parse(line) as { url?: string };
      if (url === undefined) continue;
      child.stdout?.resume();
      return { process: child, url };
    }
    throw new Error('ingest ended before it listened');
  }

  async function provision(namespace: string, clockMode?: string) {
    const names: TopicName[] = ['eventReceived', 'eventAccepted', 'eventRejected'];
    const specs = names.map((name) => ({
      name: toTopic(namespace, name),
      partitions: PARTITIONS,
      retentionMs: 3_600_000,
      cleanup: 'delete' as const,
    }));
    await createTopics(connection, specs);
    const env = toEnv(namespace, clockMode);
    await command(env, 'migrate');
    const created = await command(env, 'sources', 'create', '--name', 'shop', '--json');
    return { env, headers: { authorization: `Bearer ${created.writeKey}` } };
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
    for (const child of children) child.kill('SIGKILL');
    await log.close();
  });

  it('provisions by commands, each of which may be run again', async () => {
    const namespace = `c${run}`;
    const { env } = await provision(namespace);
    await command(env, 'migrate');
    await expect(command(env, 'sources', 'create', '--name', 'shop', '--json')).rejects.toThrow();
    expect(await command(env, 'sources', 'list', '--json')).toMatchObject({
      sources: [{ name: 'shop', revokedAt: null }],
    });
    const args = ['activate', '--kind', 'policy', '--number', '1', '--hash', 'a'.repeat(64)];
    expect(await command(env, ...args)).toMatchObject({ written: [0, 1, 2] });
    expect(await command(env, ...args)).toMatchObject({ written: [] });
    expect((await readAccepted(namespace)).map(({ partition, record }) => [partition, record.$case])).toEqual([
      [0, 'activation'],
      [1, 'activation'],
      [2, 'activation'],
    ]);
  }, 60_000);

  it('takes both doors, ticks each partition, and loses nothing to kill -9', async () => {
    const namespace = `k${run}`;
    const { env, headers } = await provision(namespace);
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

    // Killed while it answers and consumes; what has had no 200 is sent again, as an SDK does.
    const first = await start(env);
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
    first.process.kill('SIGKILL');
    await sending;
    for (const messageId of acknowledged) expected.add(messageId);

    const second = await start(env);
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
    second.process.kill('SIGTERM');
    await eventually(async () => second.process.exitCode === 0, { ...WITHIN, what: 'a drained stop' });
  }, 120_000);

  it('is driven by POST /v1/clock where events bring the time', async () => {
    const namespace = `e${run}`;
    const { env, headers } = await provision(namespace, 'events');
    const { url, process: child } = await start(env);
    const producer = await log.createProducer();
    const value = Buffer.from(
      JSON.stringify({ type: 'track', userId: 'u', event: 'x', messageId: 'm', timestamp: '1997-01-01T05:00:00Z' }),
    );
    await producer.send([{ topic: toTopic(namespace, 'eventReceived'), partition: 1, key: null, value, headers: {} }]);
    await producer.close();
    const body = JSON.stringify({ from: '1997-01-01', to: '1997-01-02', received: { 1: 1 } });
    const moved = await fetch(`${url}/v1/clock`, { method: 'POST', headers, body });
    expect(await moved.json()).toEqual({ success: true, logTime: '1997-01-02T00:00:00.000Z' });
    const records = await readAccepted(namespace);
    expect(records.filter(({ record }) => record.$case === 'tick')).toHaveLength(25 * PARTITIONS);
    const partitionOfEvent = must(
      records.find(({ record }) => record.$case === 'event'),
      'the event',
    ).partition;
    const kinds = records.filter(({ partition }) => partition === partitionOfEvent).map(({ record }) => record.$case);
    expect(kinds[0]).toBe('event');

    child.kill('SIGKILL');
    const again = await start(env);
    const read = await fetch(`${again.url}/v1/clock`, { headers });
    expect(await read.json()).toEqual({ mode: 'events', logTime: '1997-01-02T00:00:00.000Z' });
    again.process.kill('SIGTERM');
  }, 120_000);
});
