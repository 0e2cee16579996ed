import { describe, expect, it, jest } from '@jest/globals';
import { createTestGrants, TEST_AUTHORIZATION } from '@perennial/access/testing';
import { AcceptedRecord, toTopic } from '@perennial/contracts';
import { createMemoryLog } from '@perennial/kafka/testing';
import { toSha256 } from '@perennial/kernel';
import { createSilentLogger } from '@perennial/telemetry';
import { createApp } from './app.js';
import { loadConfig } from './config.js';
import {
  eventually,
  FakeClockStore,
  FakeIdentityStore,
  FakePlaceholderStore,
  FakePlanStore,
  FakeRuleReaders,
  FakeSourceStore,
  WRITE_KEY,
} from './testing/fakes.js';

jest.setTimeout(30_000);

const env = {
  PERENNIAL_SECRET: 'a secret of more than thirty-two characters',
  KAFKA_BROKERS: 'localhost:9092',
  POSTGRES_URL: 'postgres://localhost/x',
  PERENNIAL_ARTIFACTS: 'file:///tmp/artifacts',
  PORT: '0',
};

function open(over: Record<string, string> = {}, partitions = 3) {
  const config = loadConfig({ ...env, ...over });
  const log = createMemoryLog({ partitions });
  const { namespace } = config;
  for (const topic of ['eventReceived', 'eventAccepted', 'eventRejected'] as const)
    log.createTopic(toTopic(namespace, topic));
  const stores = {
    sources: new FakeSourceStore(),
    placeholders: new FakePlaceholderStore(),
    identity: new FakeIdentityStore(),
    readers: new FakeRuleReaders(),
    plans: new FakePlanStore(),
    clock: new FakeClockStore(),
    tokens: createTestGrants(),
  };
  const app = createApp(config, { logger: createSilentLogger(), log, stores });
  const kinds = () =>
    log
      .records(toTopic(namespace, 'eventAccepted'))
      .map(({ value }) => AcceptedRecord.decode(value ?? Buffer.alloc(0)).record);
  return { app, log, stores, kinds };
}

const headers = { authorization: `Bearer ${WRITE_KEY}` };
const body = JSON.stringify({ userId: 'u1', event: 'x' });

describe('the composed service', () => {
  it('names ids of other kinds by the rules that were rolled out, by both transports', async () => {
    const { app, log, stores, kinds } = open();
    stores.identity.content =
      'version: 1\nkinds: { email: { strength: 200, read: [traits.email], normalise: email } }\n';
    const { url } = await app.start();
    const hash = toSha256(stores.identity.content);
    expect(await stores.readers.listBehind(hash)).toEqual([]);
    expect(stores.readers.hashes.size).toBe(1);
    const rules = await (await fetch(`${url}/v1/rules`, { headers: TEST_AUTHORIZATION })).json();
    expect(rules).toEqual({ identity: { hash, kinds: ['user', 'email', 'anonymous'] } });
    const said = { type: 'identify', anonymousId: 'a', traits: { email: 'Anna@example.com' } };
    await fetch(`${url}/v1/identify`, { method: 'POST', headers, body: JSON.stringify(said) });
    const value = Buffer.from(JSON.stringify(said));
    log.append({ topic: toTopic('live', 'eventReceived'), partition: 0, key: null, value, headers: {} });
    const events = () => kinds().flatMap((record) => (record?.$case === 'event' ? [record.value] : []));
    await eventually(() => expect(events()).toHaveLength(2));
    const [first, second] = events().map(({ namedIds }) => namedIds);
    expect(first).toMatchObject([{ profile: { strength: 200 }, tie: true }]);
    expect(second).toEqual(first);
    await app.stop();
  });

  it('takes events by both transports, ticks, tells metrics, and drains at a stop', async () => {
    const { app, log, kinds } = open();
    const { url } = await app.start();
    log.append({
      topic: toTopic('live', 'eventReceived'),
      partition: 0,
      key: null,
      value: Buffer.from('no json'),
      headers: {},
    });
    expect((await fetch(`${url}/v1/track`, { method: 'POST', headers, body })).status).toBe(200);
    await eventually(async () => expect((await fetch(`${url}/health/ready`)).status).toBe(200));
    await eventually(() => expect(kinds().filter((record) => record?.$case === 'tick').length).toBeGreaterThan(3));
    await eventually(() => expect(log.records(toTopic('live', 'eventRejected'))).toHaveLength(1));
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toMatch(/ingest_events_accepted_total\{transport="http".*\} 1/);
    expect(metrics).toMatch(/ingest_events_rejected_total\{transport="kafka",step="decode",reason="not_json".*\} 1/);
    const clock = await (await fetch(`${url}/v1/clock`, { headers: TEST_AUTHORIZATION })).json();
    expect(clock).toMatchObject({ mode: 'wall', logTime: expect.stringMatching(/^\d{4}-/) });

    const release = log.holdSends();
    const pending = fetch(`${url}/v1/track`, { method: 'POST', headers, body });
    // A stop ends idle connections, so the request must have arrived before it.
    await eventually(async () => {
      await fetch(`${url}/health/ready`);
      expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/ingest_in_flight_records\{.*\} 1/);
    });
    const stopped = app.stop();
    release();
    expect((await pending).status).toBe(200);
    await stopped;
    await expect(fetch(`${url}/health/live`)).rejects.toThrow();
  });

  it('writes no ticks of its own where events drive the clock', async () => {
    const { app, kinds } = open({ PERENNIAL_NAMESPACE: 'backfill', PERENNIAL_CLOCK_MODE: 'events' });
    const { url } = await app.start();
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(kinds()).toHaveLength(0);
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    const moved = await fetch(`${url}/v1/clock`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...TEST_AUTHORIZATION },
      body: '{"to":"1997-01-01"}',
    });
    expect(moved.status).toBe(200);
    expect(kinds()).toHaveLength(3);
    await app.stop();
  });

  it('does not start without its store or topics, and leaves nothing open', async () => {
    const { app, stores } = open();
    stores.sources.away = true;
    await expect(app.start()).rejects.toMatchObject({ code: 'dependency_unavailable' });
    const config = loadConfig(env);
    const log = createMemoryLog({ partitions: 3 });
    await expect(createApp(config, { logger: createSilentLogger(), log, stores }).start()).rejects.toMatchObject({
      code: 'not_found',
    });
    log.createTopic(toTopic('live', 'eventAccepted'), 3);
    log.createTopic(toTopic('live', 'eventReceived'), 4);
    await expect(createApp(config, { logger: createSilentLogger(), log, stores }).start()).rejects.toMatchObject({
      code: 'dependency_misconfigured',
      message: expect.stringMatching(/3 partitions.*4/),
    });
  });

  it('tells all problems of its configuration at once', () => {
    expect(() => loadConfig({ PERENNIAL_SECRET: 'changeme', PERENNIAL_CLOCK_MODE: 'events', PORT: 'x' })).toThrow(
      /PERENNIAL_CLOCK_MODE[\s\S]*PORT[\s\S]*PERENNIAL_SECRET[\s\S]*KAFKA_BROKERS[\s\S]*POSTGRES_URL/,
    );
  });
});
