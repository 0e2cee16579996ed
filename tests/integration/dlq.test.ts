import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { encodePosition, HEADERS, toTopic } from '@perennial/contracts';
import { createKafkaLog, createTopics, type Log, type OutgoingRecord } from '@perennial/kafka';
import { must } from '@perennial/kernel';
import { type Processor, startProcessor, toPartitionKeys } from '@perennial/keyed-processor';
import { createSumming } from '@perennial/keyed-processor/testing';
import { connectRedis, type Redis } from '@perennial/redis';
import { createMetrics, createSilentLogger } from '@perennial/telemetry';
import { readTestEnvironment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { readTopic } from '../support/read-topic.js';
import { runDlq } from '../support/run-cli.js';
import { createRunName } from '../support/run-name.js';

/*
 * Poison of every kind on real Kafka and Redis: a processor build that cannot process some records, then a repaired
 * one. Each poison is dead-lettered with its cause while the partition continues; `./perennial dlq redrive` returns it,
 * and the states equal those of a namespace where the same records came at that time.
 */

const PARTITIONS = 2;
const WITHIN = { withinMs: 30_000 };
/** Less than the broker's limit, more than a dead letter's. */
const LARGE_BYTES = 1_000_000;
const TEN_MEGABYTES = 10 * 1024 * 1024;

type Content = Pick<OutgoingRecord, 'key' | 'value'> & { readonly headers?: Record<string, string> };

interface Row {
  readonly position: string;
  readonly kind: string;
  readonly key: string | null;
  readonly cause: string;
  readonly origin: string;
  readonly value?: unknown;
}

const toContent = (key: string | null, body: unknown, headers = {}): Content => ({
  key: key === null ? null : Buffer.from(key),
  value: Buffer.from(JSON.stringify(body)),
  headers,
});

const garbage: Content = { key: Buffer.from('ada'), value: Buffer.from([0xff, 0xfe, 0x00]) };
const newer = toContent('ada', { version: 2, value: 2 });
const upstream = encodePosition({ source: 'upstream/0', offset: 3, ordinal: 0 });
const throwing = toContent('ada', { value: 13 }, { [HEADERS.position]: upstream, mine: 'kept' });
const verbose = toContent('ada', { value: 17 });
const large = toContent('ada', { version: 2, value: 40, padding: 'x'.repeat(LARGE_BYTES) });
const first = [toContent(null, { tick: 100 }), toContent('ada', { value: 1 })];
const second = [toContent('sleeper', { value: 1 }), toContent(null, { tick: 200 }), toContent('ada', { value: 5 })];

describe('dead letters', () => {
  const { brokers, redisUrl } = readTestEnvironment();
  const run = createRunName();
  const namespace = `dlq${run}`;
  const connection = { brokers, clientId: 'test', logger: createSilentLogger() };
  const processors = new Set<Processor>();
  let log: Log;
  let redis: Redis;

  beforeAll(async () => {
    log = createKafkaLog({ ...connection, producerLimits: { requestBytesMax: 2 * TEN_MEGABYTES } });
    redis = await connectRedis({ url: redisUrl, logger: connection.logger, name: 'test' });
    const poisoned = [...first, garbage, newer, throwing, verbose, large, ...second];
    await provision(namespace);
    await write(namespace, poisoned);
    await runBuild(namespace, { repaired: false });
  }, 60_000);

  afterAll(async () => {
    await Promise.all([...processors].map((processor) => processor.stop()));
    await redis?.quit();
    await log?.close();
  });

  it('are of every kind of poison, each with its cause, and the partition went on', async () => {
    expect(JSON.parse((await readStates(namespace)).ada ?? '{}')).toMatchObject({ sum: 6, woken: 1 });
    const rows = await list();
    const toOrigin = (offset: number) => `${toInputTopic(namespace)}/0:${offset}`;
    expect(rows.map(({ kind, key, origin, cause }) => [kind, key, origin, cause])).toEqual([
      ['bytes', 'ada', toOrigin(2), expect.stringContaining('JSON')],
      ['json', 'ada', toOrigin(3), 'schema version 2, this build knows 1'],
      ['json', 'ada', toOrigin(4), 'this build cannot add 13'],
      ['json', 'ada', toOrigin(5), expect.stringMatching(/an output of \d+ bytes for .* exceeds 921600/)],
      ['omitted', null, toOrigin(6), 'schema version 2, this build knows 1'],
      ['json', 'sleeper', toOrigin(8), 'this build cannot wake a sleeper'],
    ]);
  });

  it('are listed by processor and cause, and shown whole', async () => {
    expect(await list('--cause', 'CANNOT ADD')).toHaveLength(1);
    expect(await list('--processor', 'another')).toEqual([]);
    expect((await runDlq(namespace, 'list', '--limit', '2')).stdout).toMatch(/ sleeper .*\n4 older dead letters/);
    const [row] = await list('--cause', 'cannot add');
    const { stdout, code } = await runDlq(namespace, 'show', must(row, 'a letter').position);
    expect(code).toBe(0);
    for (const part of ['this build cannot add 13', `caused by  ${upstream}`, 'mine: kept', '"value": 13'])
      expect(stdout).toContain(part);
  });

  it('are re-published once by redrive --all; then the repaired build comes to what it would have come to', async () => {
    const input = toInputTopic(namespace);
    const before = await log.offsets(input);
    expect(await redrive('--all', '--dry-run')).toMatchObject({ dryRun: true, redriven: { [input]: 6 } });
    expect(await log.offsets(input)).toEqual(before);
    expect(await redrive('--all')).toMatchObject({ redriven: { [input]: 6 }, skippedCount: 0 });
    const again = await runDlq(namespace, 'redrive', '--all');
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing to re-publish') });

    await runBuild(namespace, { repaired: true });
    const reference = `ref${run}`;
    await provision(reference);
    await write(reference, [...first, ...second, newer, { ...throwing, headers: {} }, verbose, large]);
    await runBuild(reference, { repaired: true });
    const states = await readStates(namespace);
    expect(states).toEqual(await readStates(reference));
    expect(JSON.parse(states.ada ?? '{}')).toMatchObject({ sum: 1 + 5 + 2 + 13 + 17 + 40 });
    expect(JSON.parse(states.sleeper ?? '{}')).toMatchObject({ woken: 1 });
  }, 60_000);

  it('that are garbage stay garbage: a letter of their own, which leads to the first', async () => {
    const rows = await list();
    expect(rows).toHaveLength(7);
    const shown = JSON.parse((await runDlq(namespace, 'show', must(rows.at(-1), 'letter').position, '--json')).stdout);
    expect(shown).toMatchObject({
      value: 'fffe00',
      notes: { 'redriven before, from': expect.stringMatching(/\/0:0$/) },
    });
  });

  it('have copies since the builds were started and stopped: none of them is listed or re-published', async () => {
    const written = await readTopic(log, toTopic(namespace, 'deadLettered'));
    expect(written.length).toBeGreaterThan(7);
    expect(await redrive('--all')).toMatchObject({ redriven: { [toInputTopic(namespace)]: 1 } });
    const before = await readStates(namespace);
    await runBuild(namespace, { repaired: true });
    expect(await readStates(namespace)).toEqual(before);
  }, 30_000);

  it('are re-published by position as often as asked', async () => {
    const [row] = await list('--cause', 'cannot add');
    for (let i = 0; i < 2; i++) await redrive(must(row, 'a letter').position);
    await runBuild(namespace, { repaired: true });
    expect(JSON.parse((await readStates(namespace)).ada ?? '{}')).toMatchObject({ sum: 78 + 13 + 13 });
    const records = (await readTopic(log, toInputTopic(namespace))).slice(-2);
    for (const { key, value, headers } of records) {
      expect({ key, value, headers }).toEqual({
        ...throwing,
        headers: { mine: 'kept', [HEADERS.redrivenFrom]: `${toTopic(namespace, 'deadLettered')}/0:2` },
      });
    }
  }, 30_000);

  it('that are not there, and wrong usage, differ by the exit code', async () => {
    expect(await runDlq(namespace, 'show', '0:999')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('ends at'),
    });
    expect(await runDlq(`none${run}`, 'list')).toMatchObject({ code: 1, stderr: expect.stringContaining('no topic') });
    for (const args of [
      ['show', 'x'],
      ['redrive'],
      ['redrive', '0:1', '--all'],
      ['redrive', '0:1', '--with', 'x.json'],
    ])
      expect(await runDlq(namespace, ...args)).toMatchObject({ code: 2 });
  });

  it('cannot come of a record of 10 MB: the broker rejects it, at 1 MiB and a little, and its producer gets an error', async () => {
    const producer = await log.createProducer();
    for (const bytes of [1_048_588, TEN_MEGABYTES]) {
      const record = {
        topic: toInputTopic(namespace),
        partition: 0,
        key: null,
        value: Buffer.alloc(bytes),
        headers: {},
      };
      await expect(producer.send([record])).rejects.toMatchObject({ code: 'limit_exceeded', retriable: false });
    }
    await producer.close();
  }, 30_000);

  /** Runs a build until it has processed everything, then stops it. */
  async function runBuild(name: string, { repaired }: { repaired: boolean }): Promise<void> {
    const metrics = createMetrics({ service: 'summing', namespace: name, processMetrics: false });
    const processor = await startProcessor({
      definition: createBuild(name, { repaired }),
      namespace: name,
      log,
      redis,
      logger: connection.logger,
      metrics,
    });
    processors.add(processor);
    const keys = toPartitionKeys(name, 'summing', 0);
    const end = (await log.offsets(toInputTopic(name))).get(0)?.high;
    await eventually(async () => Number(await redis.hget(keys.meta, 'next')) === end, {
      ...WITHIN,
      what: 'the input is processed',
    });
    await processor.stop();
    processors.delete(processor);
  }

  async function provision(name: string): Promise<void> {
    const names = [toInputTopic(name), toOutputTopic(name), toTopic(name, 'deadLettered')];
    const specs = names.map((topic) => ({ name: topic, partitions: PARTITIONS, retentionMs: 3_600_000 }));
    await createTopics(
      connection,
      specs.map((spec) => ({ ...spec, cleanup: 'delete' as const })),
    );
  }

  async function write(name: string, contents: readonly Content[]): Promise<void> {
    const producer = await log.createProducer();
    for (const content of contents)
      await producer.send([{ headers: {}, ...content, topic: toInputTopic(name), partition: 0 }]);
    await producer.close();
  }

  async function readStates(name: string): Promise<Record<string, string>> {
    return redis.hgetall(toPartitionKeys(name, 'summing', 0).states);
  }

  async function list(...args: readonly string[]): Promise<Row[]> {
    const { stdout } = await runDlq(namespace, 'list', '--json', ...args);
    return (JSON.parse(stdout) as { entries: Row[] }).entries;
  }

  async function redrive(...args: readonly string[]): Promise<unknown> {
    return JSON.parse((await runDlq(namespace, 'redrive', '--json', ...args)).stdout);
  }
});

function toInputTopic(namespace: string): string {
  return `test.${namespace}.in`;
}

function toOutputTopic(namespace: string): string {
  return `test.${namespace}.out`;
}

/** The summing processor in a build with faults, and in one with them repaired. */
function createBuild(namespace: string, { repaired }: { repaired: boolean }): ReturnType<typeof createSumming> {
  const inputTopic = toInputTopic(namespace);
  // A position must lie within the log of its source; its own log is as good as any.
  const sources = [{ processor: 'upstream', topic: inputTopic }];
  const summing = createSumming({ inputTopic, outputTopic: toOutputTopic(namespace), sources });
  return {
    ...summing,
    decode(record) {
      const { version = 1 } = JSON.parse(String(record.value)) as { version?: number };
      if (version > 1 && !repaired) throw new Error(`schema version ${version}, this build knows 1`);
      return summing.decode(record);
    },
    step(item, evidence) {
      const result = summing.step(item, evidence);
      if (repaired) return result;
      const { cause, context } = item;
      if (cause.kind === 'timer' && context.key === 'sleeper') throw new Error('this build cannot wake a sleeper');
      if (cause.kind === 'record' && cause.input === 13) throw new Error('this build cannot add 13');
      if (cause.kind === 'record' && cause.input === 17) {
        return { ...result, outputs: [{ topic: toOutputTopic(namespace), value: Buffer.alloc(LARGE_BYTES) }] };
      }
      return result;
    },
  };
}
