import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AcceptedRecord, type EventRejected, toTopic } from '@perennial/contracts';
import { INITIAL_RULES } from '@perennial/identity';
import { createMemoryLog, type MemoryLog } from '@perennial/kafka/testing';
import { createMetrics, type Metrics } from '@perennial/telemetry';
import { BUILT_IN_PLACEHOLDERS } from '../domain/placeholder-ids.js';
import { createSilentEvents, eventually, FakeClock, NOW_MS, PARTITIONS, RECORDS } from '../testing/fakes.js';
import {
  type KafkaInput,
  type KafkaSource,
  OUTCOMES,
  RECEIVED,
  startKafkaSource,
  toReceivedGroup,
} from './kafka-source.js';

jest.setTimeout(30_000);

const TOPIC = toTopic('live', 'eventReceived');
const GROUP = toReceivedGroup('live');
const track = { type: 'track', userId: 'u1', event: 'Order Completed', properties: { revenue: 10 } };

describe('kafka source', () => {
  let log: MemoryLog;
  let source: KafkaSource | undefined;
  let metrics: Metrics;

  beforeEach(() => {
    log = createMemoryLog({ partitions: PARTITIONS, now: () => NOW_MS });
    metrics = createMetrics({ service: 'test', namespace: 'live', processMetrics: false });
    log.createTopic(TOPIC);
  });
  afterEach(async () => {
    await source?.stop();
    await log.close();
  });

  async function start(clockMode: 'wall' | 'events' = 'wall', input: KafkaInput = RECEIVED): Promise<KafkaSource> {
    const clock = {
      ...new FakeClock(),
      now: () => NOW_MS,
      steadyMs: () => NOW_MS,
      wait: () => new Promise<void>((done) => setTimeout(done, 1)),
    };
    const producer = await log.createProducer();
    source = await startKafkaSource({
      input,
      log,
      producer,
      namespace: 'live',
      clockMode,
      placeholders: () => BUILT_IN_PLACEHOLDERS,
      identity: () => INITIAL_RULES,
      plans: () => undefined,
      clock,
      records: RECORDS,
      events: createSilentEvents(),
      metrics,
    });
    return source;
  }

  function put(value: unknown, headers: Record<string, string> = {}, partition = 1): void {
    const bytes = Buffer.isBuffer(value) || value === null ? value : Buffer.from(JSON.stringify(value));
    log.append({ topic: TOPIC, partition, key: null, value: bytes, headers });
  }

  const accepted = () =>
    log.records('accepted').map(({ value }) => {
      const { record } = AcceptedRecord.decode(value ?? Buffer.alloc(0));
      return record?.$case === 'event' ? record.value : undefined;
    });
  const rejected = () => log.records('rejected').map(({ value }) => JSON.parse(String(value)) as EventRejected);
  const committed = async () => Object.fromEntries(await log.groupOffsets(GROUP, TOPIC));

  it('takes outcomes from their topic, in both forms, and stops at none that is wrong', async () => {
    const topic = toTopic('live', 'actionOutcome');
    log.createTopic(topic);
    const outcome = { actionId: 'a', outcome: 'opened', userId: 'u1', timestamp: new Date(NOW_MS).toISOString() };
    const add = (value: unknown, headers: Record<string, string> = {}) =>
      log.append({ topic, partition: 2, key: null, value: Buffer.from(JSON.stringify(value)), headers });
    add(outcome);
    add({ ...outcome, outcome: 'seen' });
    add('{');
    add({ type: 'track', event: 'x', userId: 'u1' });
    add(outcome, { ce_specversion: '1.0', ce_id: '7', ce_source: '/mailer', ce_type: 'com.mailer.event' });
    await start('wall', OUTCOMES);
    await eventually(() => expect(accepted()).toHaveLength(2));
    await eventually(() => expect(rejected()).toHaveLength(3));
    expect(accepted()).toMatchObject([
      { type: 'outcome', name: 'opened', sourceId: 'kafka', notice: { notice: { value: { actionId: 'a' } } } },
      { type: 'outcome', name: 'opened', messageId: expect.stringMatching(/^ce:/) },
    ]);
    const problems = rejected().map(({ reason, position }) => [reason, position]);
    expect(problems.sort((a, b) => String(a[1]).localeCompare(String(b[1])))).toEqual([
      ['invalid_outcome', `${topic}/2:1`],
      ['not_an_object', `${topic}/2:2`],
      ['invalid_type', `${topic}/2:3`],
    ]);
  });

  it('measures what open transactions hold back as every consumer does', async () => {
    const kafka = await start();
    await eventually(() => expect(kafka.owned().size).toBe(PARTITIONS));
    kafka.heldBack(new Map([[1, 7]]));
    expect(await metrics.registry.metrics()).toMatch(
      /^consumer_held_back_records\{(?=[^}]*partition="1")[^}]*consumer="ingest-received"[^}]*\} 7$/m,
    );
    kafka.heldBack(new Map());
    expect(await metrics.registry.metrics()).not.toMatch(/^consumer_held_back_records\{/m);
  });

  it('takes plain JSON, keyed or not, and CloudEvents in both modes', async () => {
    put({ ...track, messageId: 'm1' });
    put(track);
    put(
      { userId: 'u1', event: 'x' },
      {
        ce_specversion: '1.0',
        ce_id: 'ce-1',
        ce_type: 'shop.track',
        ce_time: '2026-04-30T12:00:00Z',
        ce_source: '/shop',
      },
    );
    put({
      specversion: '1.0',
      id: 'ce-2',
      type: 'com.example.identify',
      source: '/',
      data: { userId: 'u1', traits: { a: 1 } },
    });
    await start();
    await eventually(() => expect(accepted()).toHaveLength(4));
    expect(accepted()).toMatchObject([
      { messageId: 'm1', type: 'track', sourceId: 'kafka', receivedAtMs: NOW_MS },
      { messageId: `kafka:${TOPIC}/1:1`, timestampMs: NOW_MS },
      {
        messageId: expect.stringMatching(/^ce:/),
        type: 'track',
        name: 'x',
        timestampMs: Date.parse('2026-04-30T12:00:00Z'),
      },
      { messageId: expect.stringMatching(/^ce:/), type: 'identify' },
    ]);
    await eventually(async () => expect(await committed()).toEqual({ 1: 4 }));
  });

  it('keeps what it rejects, with the position, and goes on', async () => {
    put(Buffer.from([0xff, 0x00, 0x01]));
    put(Buffer.from('{"a":'));
    put(null);
    put([1]);
    put({ ...track, userId: '' });
    put({ ...track, properties: { filler: 'x'.repeat(33_000) } });
    put({ specversion: '1.0', id: 'x', type: 'track', data: 'text' });
    put({ specversion: '1.0', id: 'x', type: 'track', data: 3 });
    put(track);
    await start();
    await eventually(() => expect(accepted()).toHaveLength(1));
    const byOffset = rejected().sort((a, b) => (a.position < b.position ? -1 : 1));
    expect(byOffset.map(({ reason, position, encoding }) => [reason, position, encoding])).toEqual([
      ['not_json', `${TOPIC}/1:0`, 'base64'],
      ['not_json', `${TOPIC}/1:1`, 'base64'],
      ['not_json', `${TOPIC}/1:2`, 'base64'],
      ['not_an_object', `${TOPIC}/1:3`, 'base64'],
      ['missing_id', `${TOPIC}/1:4`, 'json'],
      ['event_too_large', `${TOPIC}/1:5`, 'base64'],
      ['not_json', `${TOPIC}/1:6`, 'base64'],
      ['not_an_object', `${TOPIC}/1:7`, 'base64'],
    ]);
    expect(Buffer.from(byOffset[0]?.event ?? '', 'base64')).toEqual(Buffer.from([0xff, 0x00, 0x01]));
    expect(byOffset[0]?.sourceId).toBeNull();
    const [first] = log.records('rejected').filter(({ headers }) => headers.ce_id === `${TOPIC}/1:0`);
    expect(first?.headers).toMatchObject({ ce_type: 'lifecycle.event.rejected.v1', ce_specversion: '1.0' });
  });

  it('names the attribute of a CloudEvent that is wrong, and not the field that it stands for', async () => {
    const data = { userId: 'u1', event: 'x' };
    const attributes = { specversion: '1.0', id: 'x', source: '/a', type: 'track', time: '2026-01-02T03:04:05Z' };
    put({ ...attributes, time: 'yesterday', data });
    put({ ...attributes, id: 'x'.repeat(101), source: undefined, data });
    put({ ...attributes, type: 'com.example.order', data });
    put({ ...attributes, data: { ...data, timestamp: 'yesterday' } });
    put(track);
    await start();
    await eventually(() => expect(accepted()).toHaveLength(1));
    const byOffset = rejected().sort((a, b) => (a.position < b.position ? -1 : 1));
    expect(byOffset.map(({ reason, step, field, message }) => [reason, step, field, message])).toEqual([
      ['invalid_timestamp', 'clock', 'time', expect.stringMatching(/^attribute time of the CloudEvent: .*"yesterday"/)],
      ['invalid_message_id', 'message_id', 'id', expect.stringMatching(/^attribute id of the CloudEvent: /)],
      ['invalid_type', 'type', 'type', expect.stringContaining('not "com.example.order"')],
      ['invalid_timestamp', 'clock', 'timestamp', expect.stringMatching(/^timestamp "yesterday"/)],
    ]);
  });

  it('keeps what cannot be read with its reason, and its value where it has one', async () => {
    const at = { topic: TOPIC, partition: 1, key: null, headers: {} };
    const value = Buffer.from(JSON.stringify(track));
    for (const reason of ['too_many_headers', 'headers_too_large', 'batch_too_large', 'damaged'] as const) {
      const unreadable = { reason, message: `invalid: ${reason}`, firstOffset: 0 };
      log.append({ ...at, value: reason === 'too_many_headers' ? value : null, unreadable });
    }
    put(track);
    await start();
    await eventually(() => expect(accepted()).toHaveLength(1));
    const found = rejected().sort((a, b) => (a.position < b.position ? -1 : 1));
    expect(found.map(({ reason, step, message, event }) => [reason, step, message, event])).toEqual([
      ['too_many_headers', 'decode', 'invalid: too_many_headers', value.toString('base64')],
      ['headers_too_large', 'decode', 'invalid: headers_too_large', ''],
      ['batch_too_large', 'decode', 'invalid: batch_too_large', ''],
      ['unreadable', 'decode', 'invalid: damaged', ''],
    ]);
  });

  it('commits offsets behind control records, so that its lag ends at 0', async () => {
    put(track);
    log.appendControl(TOPIC, 1);
    log.appendControl(TOPIC, 2);
    await start();
    await eventually(async () => expect(await committed()).toEqual({ 1: 2, 2: 1 }));
  });

  it('commits nothing before the acknowledgement, and tries until it has it', async () => {
    put({ ...track, messageId: 'm1' });
    put({ ...track, messageId: 'm2' });
    log.failNextSend({ written: 1 });
    log.failNextSend({ written: 0 });
    await start();
    await eventually(async () => expect(await committed()).toEqual({ 1: 2 }));
    expect(accepted().map((event) => event?.messageId)).toEqual(['m1', 'm1', 'm2']);
  });

  it('goes on where another instance stopped, without gap or repeat', async () => {
    for (let i = 0; i < 200; i++) put({ ...track, messageId: `m${i}` }, {}, i % PARTITIONS);
    const first = await start();
    await eventually(() => expect(accepted().length).toBeGreaterThan(10));
    await first.stop();
    for (let i = 200; i < 300; i++) put({ ...track, messageId: `m${i}` }, {}, i % PARTITIONS);
    await start();
    await eventually(() => expect(new Set(accepted().map((event) => event?.messageId)).size).toBe(300));
    expect(accepted()).toHaveLength(300);
  });

  it('says which partitions it has', async () => {
    const started = await start();
    await eventually(() => expect([...started.owned()].sort()).toEqual([0, 1, 2, 3]));
  });

  it('takes history at its own time where events drive the clock', async () => {
    put({ ...track, timestamp: '1997-03-01T00:00:00Z' });
    await start('events');
    await eventually(() => expect(accepted()).toHaveLength(1));
    const time = Date.parse('1997-03-01T00:00:00Z');
    expect(accepted()[0]).toMatchObject({ timestampMs: time, receivedAtMs: time });
  });
});
