import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AcceptedRecord, type EventRejected, type TopicName, toConsumerGroup, toTopic } from '@perennial/contracts';
import { createKafkaLog, createTopics, type Log, RECORD_LIMITS, readUnread, sumLag } from '@perennial/kafka';
import { beginTransaction, CODEC_NAMES, encodeOddBatch, type OddBatch, produceRaw } from '@perennial/kafka/testing';
import { must } from '@perennial/kernel';
import { createSilentLogger } from '@perennial/telemetry';
import { readTestEnvironment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { readTopic } from '../support/read-topic.js';
import { runDlq, runSkip } from '../support/run-cli.js';
import { createRunName } from '../support/run-name.js';
import { createServiceRunner, type RunningService } from '../support/service-process.js';

/*
 * What clients of others may write to a topic: every codec, bombs, thousands of headers, transactions that are open,
 * aborted or committed. None of it stops another record, and readers reach the end of the log.
 */

const PARTITIONS = 3;
const WITHIN = { withinMs: 60_000 };
const TOPICS: TopicName[] = [
  'eventReceived',
  'actionOutcome',
  'eventAccepted',
  'eventRejected',
  'featureUpdated',
  'deadLettered',
];
const PACKED = CODEC_NAMES.filter((codec) => codec !== 'none');
/** Snappy packs 64 bytes into 3 at most, so the largest batch that the broker takes is within the limit. */
const BOMBS = PACKED.filter((codec) => codec !== 'snappy');

describe('records of foreign clients', () => {
  const { brokers } = readTestEnvironment();
  const namespace = `foreign${createRunName()}`;
  const received = toTopic(namespace, 'eventReceived');
  const accepted = toTopic(namespace, 'eventAccepted');
  const ingest = createServiceRunner('ingest');
  const featureStore = createServiceRunner('feature-store');
  const connection = { brokers, clientId: 'test', logger: createSilentLogger() };
  let log: Log;
  let running: RunningService;

  beforeAll(async () => {
    log = createKafkaLog(connection);
    const toSpec = (name: TopicName) => ({ name: toTopic(namespace, name), partitions: PARTITIONS });
    await createTopics(
      connection,
      TOPICS.map((name) => ({ ...toSpec(name), retentionMs: 3_600_000, cleanup: 'delete' as const })),
    );
    await ingest.command(namespace, ['migrate']);
    [running] = await Promise.all([ingest.start(namespace), featureStore.start(namespace)]);
  }, 120_000);

  afterAll(async () => {
    await ingest.killAll();
    await featureStore.killAll();
    await log?.close();
  });

  it.each(PACKED)(
    'takes a batch that is packed with %s, beside plain ones',
    async (codec) => {
      await put({ codec, records: [1, 2, 3].map((number) => ({ value: toEvent(`${codec}-${number}`) })) });
      await putBehind(codec);
      await expectAccepted([`${codec}-1`, `${codec}-2`, `${codec}-3`, ...namesBehind(codec)]);
    },
    60_000,
  );

  it.each(BOMBS)(
    'rejects a bomb of %s with its reason, and goes on',
    async (codec) => {
      await put({ codec, records: [{ value: Buffer.alloc(RECORD_LIMITS.batchBytesMax) }] });
      await putBehind(`bomb-${codec}`);
      await expectAccepted(namesBehind(`bomb-${codec}`));
      await expectRejected('batch_too_large', `(${codec}, `);
    },
    60_000,
  );

  it('rejects a record of 100,000 headers with its reason, and goes on', async () => {
    const headers = Array.from({ length: 100_000 }, (_, index) => [`h${index}`, Buffer.from('x')] as const);
    await put({ records: [{ value: toEvent('headers'), headers }] });
    await putBehind('headers');
    await expectAccepted(namesBehind('headers'));
    await expectRejected('too_many_headers', 'it has 100000 headers, 256 at most');
  }, 60_000);

  it('goes on beside an open transaction, says which partition waits, and takes it in once it is committed', async () => {
    const open = await beginTransaction({ brokers }, received, [{ partition: 1, value: toEvent('open') }]);
    await put({ records: [{ value: toEvent('held back') }] });
    await putBehind('open', [0, 2]);
    await expectAccepted(namesBehind('open', [0, 2]));
    expect(await log.heldBack(received)).toEqual(new Map([[1, 2]]));
    await eventually(async () => (await readMetric('consumer_held_back_records')) === 2, {
      ...WITHIN,
      what: 'the metric says what waits',
    });
    // A reader ends before the transaction.
    expect((await readTopic(log, received)).some(({ value }) => value?.toString().includes('held back'))).toBe(false);
    await open.commit();
    await expectAccepted(['open', 'held back']);
    await expectNoLag('ingest-received', received);
  }, 90_000);

  it('leaves out aborted transactions, and reaches the end of a log that ends in control records', async () => {
    const aborted = await beginTransaction(
      { brokers },
      received,
      [0, 1, 2].map((partition) => ({ partition, value: toEvent('aborted') })),
    );
    await aborted.abort();
    await expectNoLag('ingest-received', received);
    const committed = await beginTransaction({ brokers }, received, [{ partition: 1, value: toEvent('committed') }]);
    await committed.commit();
    await expectAccepted(['committed']);
    await expectNoLag('ingest-received', received);
    const values = (await readTopic(log, received)).map(({ value }) => value?.toString() ?? '');
    expect(values.some((value) => value.includes('"aborted"'))).toBe(false);
    expect(await readAccepted()).not.toContain('aborted');
  }, 90_000);

  it('dead-letters what a processor cannot read, with its cause, and goes on to the end of its log', async () => {
    const bomb = { codec: 'zstd', records: [{ value: Buffer.alloc(RECORD_LIMITS.batchBytesMax) }] } as const;
    const headers = Array.from({ length: 257 }, (_, index) => [`h${index}`, null] as const);
    for (const batch of [bomb, { records: [{ value: Buffer.from('x'), headers }] }]) await put(batch, accepted);
    const empty = await beginTransaction({ brokers }, accepted, [{ partition: 1, value: 'aborted' }]);
    await empty.abort();
    await putBehind('processor');
    await expectAccepted(namesBehind('processor'));
    await expectNoLag('feature-store', accepted);
    const { stdout } = await runDlq(namespace, 'list', '--json');
    const { entries } = JSON.parse(stdout) as { entries: Array<{ cause: string; origin: string }> };
    expect(entries.map(({ cause }) => cause)).toEqual([
      expect.stringMatching(/^invalid batch at offsets .* \(zstd, /),
      'invalid record: it has 257 headers, 256 at most',
    ]);
  }, 90_000);

  it('is got past records by an operator: only while ingest stands, forward, and with a line of what was skipped', async () => {
    const group = toConsumerGroup(namespace, 'ingest-received');
    await expectNoLag('ingest-received', received);
    const from = must((await log.offsets(received)).get(1), 'partition 1').high;
    const skip = (...args: string[]) => runSkip(namespace, 'event.received', '--partition', '1', ...args);
    await put({ records: [{ value: toEvent('taken in') }] });
    await expectAccepted(['taken in']);
    await expectNoLag('ingest-received', received);
    expect(await skip('--to', String(from + 1))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`is at offset ${from + 1}`),
    });
    await ingest.killAll();
    await put({ codec: 'zstd', records: [{ value: Buffer.alloc(RECORD_LIMITS.batchBytesMax) }] });
    await put({ records: [{ value: toEvent('skipped') }] });
    await put({ records: [{ value: toEvent('behind the skip') }] });
    const to = String(from + 3);
    // A killed member is one until its session ends.
    expect(await skip('--to', to)).toMatchObject({ code: 1, stderr: expect.stringContaining('has members') });
    const readOffset = async () => (await log.groupOffsets(group, received)).get(1);
    expect(await readOffset()).toBe(from + 1);
    await eventually(
      async () => JSON.parse((await skip('--to', to, '--dry-run', '--json')).stdout).members.length === 0,
      {
        ...WITHIN,
        what: 'nobody is in the group',
      },
    );
    expect(await readOffset()).toBe(from + 1);
    expect(await skip('--to', to)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(
        `${group} skips offsets ${from + 1} to ${from + 2} of ${received}/1 (records 2, unreadable 1, `,
      ),
    });
    expect(await readOffset()).toBe(from + 3);
    expect((await log.groupOffsets(group, received)).size).toBe(PARTITIONS);
    running = await ingest.start(namespace);
    await expectAccepted(['behind the skip']);
    await expectNoLag('ingest-received', received);
    expect(await readAccepted()).not.toContain('skipped');
  }, 120_000);

  async function put(batch: OddBatch, topic = received): Promise<void> {
    const written = await produceRaw(
      { broker: must(brokers[0], 'a broker'), topic, partition: 1 },
      encodeOddBatch(batch),
    );
    expect(written).toMatchObject({ offset: expect.any(Number) });
  }

  const namesBehind = (name: string, partitions = [0, 1, 2]) => partitions.map((each) => `behind-${name}-${each}`);

  async function putBehind(name: string, partitions = [0, 1, 2]): Promise<void> {
    const producer = await log.createProducer();
    await producer.send(
      partitions.map((partition) => ({
        ...{ topic: received, partition, key: null, headers: {} },
        value: toEvent(`behind-${name}-${partition}`),
      })),
    );
    await producer.close();
  }

  async function expectAccepted(names: readonly string[]): Promise<void> {
    const check = async () => expect(await readAccepted()).toEqual(expect.arrayContaining([...names]));
    await eventually(check, { ...WITHIN, what: `accepted ${names}` });
  }

  async function readAccepted(): Promise<string[]> {
    return (await readTopic(log, accepted)).flatMap(({ value, unreadable }) => {
      if (value === null || unreadable !== undefined) return [];
      try {
        const { record } = AcceptedRecord.decode(value);
        return record?.$case === 'event' ? [record.value.messageId] : [];
      } catch {
        return [];
      }
    });
  }

  async function expectRejected(reason: string, message: string): Promise<void> {
    const check = async () => {
      const records = await readTopic(log, toTopic(namespace, 'eventRejected'));
      const rejected = records.map(({ value }) => JSON.parse(String(value)) as EventRejected);
      expect(rejected).toContainEqual(expect.objectContaining({ reason, message: expect.stringContaining(message) }));
    };
    await eventually(check, { ...WITHIN, what: `rejected as ${reason}` });
  }

  async function expectNoLag(group: string, topic: string): Promise<void> {
    const check = async () =>
      expect(sumLag(await readUnread(log, { groupId: toConsumerGroup(namespace, group), topic }))).toBe(0);
    await eventually(check, { ...WITHIN, what: `no lag of ${group}` });
  }

  async function readMetric(name: string): Promise<number> {
    const text = await (await fetch(`${running.url}/metrics`)).text();
    return Number(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'm').exec(text)?.[1]);
  }
});

function toEvent(messageId: string): Buffer {
  return Buffer.from(JSON.stringify({ type: 'track', event: 'Order Completed', userId: 'ada', messageId }));
}
