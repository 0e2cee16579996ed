import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AcceptedEvent, AcceptedRecord, FeatureRecord, TOPICS, toPartition, toTopic } from '@perennial/contracts';
import { createKafkaLog, createTopics, type Log, type OutgoingRecord } from '@perennial/kafka';
import { createSeededRandom, must } from '@perennial/kernel';
import { toSeen } from '@perennial/keyed-processor/testing';
import { createPseudonymizer } from '@perennial/privacy';
import { createLogger } from '@perennial/telemetry';
import { AUTHORIZATION } from '../support/access.js';
import { readTestEnvironment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { readTopic } from '../support/read-topic.js';
import { createRunName } from '../support/run-name.js';
import { createServiceRunner, SECRET } from '../support/service-process.js';

/*
 * The feature-store in a process of its own, on real Kafka and Redis: its features equal an independent count over the
 * raw events, and a run with `kill -9` ends with the same profiles and updates as one without.
 */

const PARTITIONS = 3;
const USERS = 50;
const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2023, 0, 1);
const DAYS = 400;
const EVENTS_PER_USER = 60;
const SEED = Number(process.env.PERENNIAL_TEST_SEED ?? Date.now() % 2 ** 31);

interface TestEvent {
  readonly messageId: string;
  readonly userId: string;
  readonly kind: 'order' | 'page';
  readonly timestampMs: number;
  readonly receivedAtMs: number;
  readonly cents: number;
}

interface Profile {
  readonly userId: string;
  readonly known: boolean;
  readonly asOf: string;
  readonly features: Readonly<Record<string, number | null>>;
}

describe(`feature-store (seed ${SEED})`, () => {
  const { brokers } = readTestEnvironment();
  const run = createRunName();
  const service = createServiceRunner('feature-store');
  const logger = createLogger({ service: 'test', namespace: 'test', instanceId: 'test', level: 'error' });
  const random = createSeededRandom(SEED);
  const events = createEvents(random);
  const userIds = [...Array.from({ length: USERS }, (_, i) => `user ${i}`), 'a stranger'];
  let log: Log;
  let calm: Awaited<ReturnType<typeof runNamespace>>;

  beforeAll(async () => {
    log = createKafkaLog({ brokers, clientId: 'test', logger });
    calm = await runNamespace(`calm${run}`, []);
  }, 90_000);

  afterAll(async () => {
    await service.killAll();
    await log?.close();
  });

  it('serves what an independent count over the events finds', () => {
    const endMs = START_MS + DAYS * DAY_MS;
    for (const profile of calm.profiles) {
      const own = events.filter(({ userId }) => userId === profile.userId);
      const orders = own.filter(({ kind }) => kind === 'order');
      const recent = orders.filter(
        ({ timestampMs }) => timestampMs >= Math.floor((endMs - 90 * DAY_MS) / DAY_MS) * DAY_MS,
      );
      const last = Math.max(...orders.map(({ timestampMs }) => timestampMs));
      expect(profile).toMatchObject({
        known: own.length > 0,
        asOf: new Date(endMs).toISOString(),
        features: {
          events_count_all: own.length,
          orders_count_all: orders.length,
          orders_count_90d: recent.length,
          orders_revenue_sum_all: orders.reduce((sum, { cents }) => sum + cents, 0) / 100,
          orders_recency_days: orders.length === 0 ? null : (endMs - last) / DAY_MS,
        },
      });
    }
    expect(calm.profiles.filter(({ known }) => known)).toHaveLength(USERS);
  });

  it('published one update for each event, those of time between them, and every tick', () => {
    const kinds = { event: 0, time: 0, tick: 0 };
    for (const { value } of calm.records) {
      const { record } = FeatureRecord.decode(must(value, 'value'));
      if (record?.$case === 'updated') kinds[record.value.event === undefined ? 'time' : 'event'] += 1;
      else kinds.tick += 1;
    }
    expect([kinds.event, kinds.tick]).toEqual([events.length, PARTITIONS * (DAYS + 1)]);
    expect(kinds.time).toBeGreaterThan(events.length);
  });

  it('rejects an id that is too long', async () => {
    expect(calm.rejected).toEqual({ status: 400, message: 'userId must NOT have more than 256 characters' });
  });

  it('ends in the same profiles and updates after kill -9', async () => {
    const killed = await runNamespace(`killed${run}`, [40, 180]);
    expect(killed.profiles).toEqual(calm.profiles);
    expect(toSeen(killed.records)).toEqual(toSeen(calm.records));
  }, 120_000);

  /** Runs a namespace to the end. On each of `killDays` a service is killed; the last service stays. */
  async function runNamespace(namespace: string, killDays: readonly number[]) {
    await makeTopics(namespace);
    const producer = await log.createProducer();
    await producer.send(toRecords(events, namespace));
    await producer.close();
    const endAt = new Date(START_MS + DAYS * DAY_MS).toISOString();
    for (const day of killDays) {
      const running = await service.start(namespace);
      const { url } = running;
      await eventually(async () => (await ask(url)).some(({ asOf }) => Date.parse(asOf) >= START_MS + day * DAY_MS), {
        withinMs: 40_000,
        what: `${namespace} at day ${day}`,
      });
      const unfinished = (await ask(url)).some(({ asOf }) => asOf !== endAt);
      await service.end(running, 'SIGKILL');
      // Otherwise the test would check nothing: give it more events.
      expect(unfinished).toBe(true);
    }
    const running = await service.start(namespace);
    const { url } = running;
    let profiles: Profile[] = [];
    await eventually(
      async () => {
        profiles = await ask(url);
        return profiles.every(({ asOf }) => asOf === endAt);
      },
      { withinMs: 40_000, what: `${namespace} processed` },
    );
    const response = await fetch(`${url}/v1/features/${'x'.repeat(300)}`, { headers: AUTHORIZATION });
    const rejected = { status: response.status, message: ((await response.json()) as { detail: string }).detail };
    expect(await service.end(running, 'SIGTERM')).toBe(0);
    const read = await readTopic(log, toTopic(namespace, 'featureUpdated'));
    // The namespaces differ in their names only.
    const records: OutgoingRecord[] = read.map((record) => ({ ...record, topic: TOPICS.featureUpdated.baseName }));
    return { profiles, records, rejected };
  }

  async function ask(url: string): Promise<Profile[]> {
    const response = await fetch(`${url}/v1/features`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...AUTHORIZATION },
      body: JSON.stringify({ userIds }),
    });
    return ((await response.json()) as { profiles: Profile[] }).profiles;
  }

  async function makeTopics(namespace: string): Promise<void> {
    const names = ['eventAccepted', 'featureUpdated', 'deadLettered'] as const;
    const specs = names.map((name) => {
      const { cleanup } = TOPICS[name];
      return { name: toTopic(namespace, name), partitions: PARTITIONS, cleanup, retentionMs: -1 };
    });
    await createTopics({ brokers, clientId: 'test', logger }, specs);
  }
});

/** Events in order of arrival: some arrive days late. */
function createEvents(random: () => number): TestEvent[] {
  const events = Array.from({ length: USERS * EVENTS_PER_USER }, (_, i): TestEvent => {
    const receivedAtMs = START_MS + Math.floor(random() * DAYS * DAY_MS);
    const lateMs = random() < 0.2 ? Math.floor(random() * 3 * DAY_MS) : 0;
    return {
      messageId: `m${i}`,
      // The first events are spread over all users, so that every user has one.
      userId: `user ${i < USERS ? i : Math.floor(random() * USERS)}`,
      kind: random() < 0.5 ? 'order' : 'page',
      timestampMs: receivedAtMs - lateMs,
      receivedAtMs,
      cents: Math.floor(random() * 10_000),
    };
  });
  return events.sort((a, b) => a.receivedAtMs - b.receivedAtMs);
}

/** What ingest would write: events in order of arrival, every third one twice, and a tick a day on every partition. */
function toRecords(events: readonly TestEvent[], namespace: string): OutgoingRecord[] {
  const topic = toTopic(namespace, 'eventAccepted');
  const pseudonymizer = createPseudonymizer(SECRET);
  const records: OutgoingRecord[] = [];
  let next = 0;
  for (let day = 0; day <= DAYS; day += 1) {
    const timeMs = START_MS + day * DAY_MS;
    for (let event = events[next]; event !== undefined && event.receivedAtMs <= timeMs; event = events[++next]) {
      const key = pseudonymizer.toProfileKey({ userId: event.userId });
      const value = encode({ $case: 'event', value: toAccepted(event, pseudonymizer.seal(event.userId)) });
      const record = { topic, partition: toPartition(key, PARTITIONS), key: Buffer.from(key), value, headers: {} };
      records.push(...(next % 3 === 0 ? [record, record] : [record]));
    }
    const tick = encode({ $case: 'tick', value: { timeMs } });
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      records.push({ topic, partition, key: null, value: tick, headers: {} });
    }
  }
  return records;
}

function toAccepted(event: TestEvent, subject: Buffer) {
  const { messageId, kind, timestampMs, receivedAtMs, cents } = event;
  const call = kind === 'order' ? { type: 'track', name: 'Order Completed' } : { type: 'page', name: 'Home' };
  const properties = kind === 'order' ? { revenue: cents / 100, products: [{ product_id: `p${cents % 7}` }] } : {};
  const propertiesJson = Buffer.from(JSON.stringify(properties));
  return {
    ...AcceptedEvent.decode(new Uint8Array()),
    messageId,
    sourceId: 's',
    ...call,
    timestampMs,
    receivedAtMs,
    subject,
    anonymous: false,
    propertiesJson,
    timeZone: '',
    currency: '',
    namedIds: [],
    forwardedTo: undefined,
  };
}

function encode(record: AcceptedRecord['record']): Buffer {
  return Buffer.from(AcceptedRecord.encode({ record }).finish());
}
