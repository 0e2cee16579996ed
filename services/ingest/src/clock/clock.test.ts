import { afterEach, describe, expect, it } from '@jest/globals';
import { TEST_AUTHORIZATION } from '@perennial/access/testing';
import { AcceptedRecord } from '@perennial/contracts';
import { createMemoryLog, type MemoryLog } from '@perennial/kafka/testing';
import {
  createIngestHarness,
  createSilentEvents,
  FakeClock,
  FakeClockStore,
  FakeProducer,
  type IngestHarness,
  NOW_MS,
  PARTITIONS,
  WRITE_KEY,
} from '../testing/fakes.js';
import { measureBrokerClock, toSkewMs } from './broker-clock.js';
import { createClockDriver } from './clock-driver.js';
import { startTicker, TICKER_LIMITS } from './ticker.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const RECEIVED = 'received';
const GROUP = 'received';

describe('driven clock', () => {
  let ingest: IngestHarness | undefined;
  afterEach(() => ingest?.server.close());

  function open(store = new FakeClockStore()) {
    const log = createMemoryLog({ partitions: PARTITIONS });
    log.createTopic(RECEIVED);
    const producer = new FakeProducer();
    const clock = new FakeClock();
    const driver = createClockDriver({
      log,
      producer,
      store,
      acceptedTopic: 'accepted',
      receivedTopic: RECEIVED,
      receivedGroup: GROUP,
      partitions: PARTITIONS,
      clock,
    });
    ingest = createIngestHarness({ clockMode: 'events', driver, clock });
    return { log, producer, clock, store, server: ingest.server };
  }

  function move(server: IngestHarness['server'], body: unknown) {
    const headers = { 'content-type': 'application/json', ...TEST_AUTHORIZATION };
    return server.inject({ method: 'POST', url: '/v1/clock', headers, payload: JSON.stringify(body) });
  }

  it('writes ticks to every partition, an hour apart at most, up to `to`', async () => {
    const { server, producer } = open();
    const from = Date.parse('1997-01-01T00:00:00Z');
    const response = await move(server, { from: '1997-01-01', to: '1997-01-01T02:30:00Z' });
    expect(response.json()).toEqual({ logTime: '1997-01-01T02:30:00.000Z' });
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const times = producer
        .ticks()
        .filter((tick) => tick.partition === partition)
        .map(({ timeMs }) => timeMs - from);
      expect(times).toEqual([0, HOUR, 2 * HOUR, 2.5 * HOUR]);
    }
  });

  it('never goes back, goes on from the last, and survives a restart', async () => {
    const first = open();
    await move(first.server, { from: '1997-01-01', to: '1997-01-02' });
    const second = open(first.store);
    expect((await move(second.server, { to: '1997-01-01T12:00:00Z' })).json()).toMatchObject({
      logTime: '1997-01-02T00:00:00.000Z',
    });
    expect(second.producer.ticks()).toHaveLength(0);
    await move(second.server, { from: '1990-01-01', to: '1997-01-02T01:00:00Z' });
    expect(second.producer.ticks()).toHaveLength(PARTITIONS);
    const read = await second.server.inject({ url: '/v1/clock', headers: TEST_AUTHORIZATION });
    expect(read.json()).toEqual({ mode: 'events', logTime: '1997-01-02T01:00:00.000Z' });
  });

  it('keeps what was acknowledged when Kafka goes away', async () => {
    const { server, producer, store } = open();
    await move(server, { from: '1997-01-01', to: '1997-01-02' });
    producer.mode = 'away';
    expect((await move(server, { to: '1997-01-03' })).statusCode).toBe(503);
    expect(store.timeMs).toBe(Date.parse('1997-01-02'));
    producer.mode = 'works';
    expect((await move(server, { to: '1997-01-03' })).statusCode).toBe(200);
  });

  it('waits until what was received is taken in', async () => {
    const { server, producer, log } = open();
    const consumer = await log.startConsumer(
      {
        groupId: GROUP,
        topic: RECEIVED,
        sessionTimeoutMs: 6000,
        fetchBytesPerPartitionMax: 1000,
        fetchWaitMaxMs: 10,
        fromBeginning: true,
      },
      { onAssigned: () => undefined, onRevoked: () => undefined, onRecords: async () => undefined },
    );
    const pending = move(server, { to: '1997-01-02', received: { 2: 5 } });
    for (let i = 0; i < 50; i++) {
      await new Promise(setImmediate);
      ingest?.clock.move(20);
    }
    expect(producer.ticks()).toHaveLength(0);
    await consumer.commit(new Map([[2, 5]]));
    for (let i = 0; i < 50; i++) {
      await new Promise(setImmediate);
      ingest?.clock.move(20);
    }
    expect((await pending).statusCode).toBe(200);
    expect(producer.ticks()).toHaveLength(PARTITIONS);
    await log.close();
  });

  it('gives up after a bounded wait', async () => {
    const { server } = open();
    const pending = move(server, { to: '1997-01-02', received: { 2: 5 } });
    for (let i = 0; i < 20; i++) {
      await new Promise(setImmediate);
      ingest?.clock.move(10_000);
    }
    const response = await pending;
    expect(response.statusCode).toBe(503);
    expect(response.json()).toMatchObject({ code: 'timeout', detail: expect.stringContaining('partition 2') });
  });

  it.each([
    [{}, 'to is missing'],
    [{ to: 'soon' }, 'to "soon" is not a time'],
    [{ to: '2099-01-01' }, '24 h ahead'],
    [{ to: '1970-01-01' }, 'before 1990'],
    [{ to: '1997-01-01', stepMs: 2 * HOUR }, 'stepMs'],
    [{ to: '1997-01-01', stepMs: '1' }, 'stepMs'],
    [{ to: '1997-01-01', received: { 9: 1 } }, 'partition 9'],
    [{ to: '1997-01-01', received: { 1: -1 } }, 'received/1'],
    [{ to: '1997-01-01', received: [] }, 'received must'],
    [{ from: '1990-01-01', to: '2020-01-01' }, '100000 ticks'],
  ])('400 for %j', async (body, message) => {
    const response = await move(open().server, body);
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ code: 'contract_violation', detail: expect.stringContaining(message) });
  });

  it('409 where the wall clock drives, 401 without a token, a write key being none', async () => {
    ingest = createIngestHarness();
    expect((await move(ingest.server, { to: '1997-01-01' })).statusCode).toBe(409);
    expect(
      (await ingest.server.inject({ method: 'POST', url: '/v1/clock', payload: '{"to":"1997-01-01"}' })).statusCode,
    ).toBe(401);
    expect((await ingest.server.inject({ url: '/v1/clock' })).statusCode).toBe(401);
    const headers = { authorization: `Bearer ${WRITE_KEY}` };
    expect((await ingest.server.inject({ url: '/v1/clock', headers })).statusCode).toBe(401);
  });
});

describe('ticker', () => {
  /** `jumpMs` sets this machine's clock in mid-run; the probe sees that, since the broker's clock does not jump. */
  async function run(skewMs: number | Error, seconds: number, jumpMs = 0) {
    const clock = new FakeClock();
    const producer = new FakeProducer();
    let jumped = 0;
    const probe = async () => {
      if (skewMs instanceof Error) throw skewMs;
      return skewMs - jumped;
    };
    const owned = new Set([1, 3]);
    const ticker = startTicker({
      producer,
      acceptedTopic: 'accepted',
      owned: () => owned,
      clock,
      events: createSilentEvents(),
      probe,
    });
    for (let i = 0; i < seconds * 10; i++) {
      await new Promise(setImmediate);
      if (i === seconds * 5) {
        jumped = jumpMs;
        clock.set(jumpMs);
      }
      clock.move(100);
    }
    await ticker.stop();
    return { producer, ticker };
  }

  it('ticks once a second on each partition it has', async () => {
    const { producer, ticker } = await run(3, 5);
    expect(ticker.problems()).toEqual([]);
    const times = producer
      .ticks()
      .filter(({ partition }) => partition === 3)
      .map(({ timeMs }) => timeMs);
    expect(times.length).toBeGreaterThanOrEqual(4);
    expect(times.length).toBeLessThanOrEqual(6);
    expect(new Set(producer.ticks().map(({ partition }) => partition))).toEqual(new Set([1, 3]));
    expect([...times].sort()).toEqual(times);
  });

  it.each([TICKER_LIMITS.skewMaxMs + 1, -TICKER_LIMITS.skewMaxMs - 1])(
    'writes none when the clock is off by %d ms',
    async (skewMs) => {
      const { producer, ticker } = await run(skewMs, 10);
      expect(producer.ticks()).toEqual([]);
      expect(ticker.problems()).toMatchObject([expect.stringContaining('clock')]);
    },
  );

  it('stops at once when the clock is set, not at the next probe', async () => {
    const { producer, ticker } = await run(3, 10, DAY);
    const begin = new FakeClock().now();
    const times = producer.ticks().map(({ timeMs }) => timeMs - begin);
    expect(times.length).toBeGreaterThan(3);
    expect(Math.max(...times)).toBeLessThan(11_000);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(0);
    expect(ticker.problems()).toMatchObject([expect.stringContaining('clock')]);
  });

  it('goes on when the clock was set back and right again while it waited for Kafka', async () => {
    const clock = new FakeClock();
    const producer = new FakeProducer();
    const events = createSilentEvents();
    const owned = () => new Set([1]);
    const ticker = startTicker({ producer, acceptedTopic: 'accepted', owned, clock, events, probe: async () => 0 });
    const pass = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 100) {
        await new Promise(setImmediate);
        clock.move(100);
      }
    };
    await pass(2_000);
    producer.mode = 'hangs';
    await pass(1_000);
    clock.set(-DAY);
    const before = producer.ticks().length;
    producer.release();
    await new Promise(setImmediate);
    clock.set(DAY);
    await pass(3_000);
    await ticker.stop();
    expect(producer.ticks().length).toBeGreaterThan(before + 2);
  });

  it('writes none before it knows', async () => {
    const { producer, ticker } = await run(new Error('no answer'), 3);
    expect(producer.ticks()).toEqual([]);
    expect(ticker.problems()).toMatchObject([expect.stringContaining('no answer')]);
  });
});

describe('broker clock', () => {
  it.each([
    [{ appendedAtMs: 15, sentAtMs: 10, ackedAtMs: 20 }, 0],
    [{ appendedAtMs: 5, sentAtMs: 10, ackedAtMs: 20 }, -5],
    [{ appendedAtMs: 50, sentAtMs: 10, ackedAtMs: 20 }, 30],
  ])('%j', (times, skewMs) => expect(toSkewMs(times)).toBe(skewMs));

  it.each([0, 60_000, -60_000])('finds a broker that is %d ms ahead', async (aheadMs) => {
    const log: MemoryLog = createMemoryLog({ partitions: 2, now: () => NOW_MS + aheadMs });
    log.createTopic('accepted');
    const producer = await log.createProducer();
    const options = { log, producer, topic: 'accepted', groupId: 'probe', clock: new FakeClock() };
    expect(await measureBrokerClock(options, 1)).toBe(aheadMs);
    const [probe] = log.records('accepted', 1);
    expect(AcceptedRecord.decode(probe?.value ?? Buffer.alloc(0)).record).toEqual({
      $case: 'tick',
      value: { timeMs: 0 },
    });
    await log.close();
  });
});
