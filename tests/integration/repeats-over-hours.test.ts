import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TOPICS, type TopicName, toTopic } from '@perennial/contracts';
import { createKafkaLog, createTopics, type Log } from '@perennial/kafka';
import { createSeededRandom } from '@perennial/kernel';
import { createSilentLogger } from '@perennial/telemetry';
import { AUTHORIZATION } from '../support/access.js';
import { readTestEnvironment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { readTopic } from '../support/read-topic.js';
import { createRunName } from '../support/run-name.js';
import { createServiceRunner, type RunningService } from '../support/service-process.js';

/*
 * Clients send the same batches again while the platform's own clock moves on by minutes and hours: in another
 * order, from two sources, from both at once. Ingest and feature-store are processes; POST /v1/clock moves their time.
 */

const SEED = Number(process.env.PERENNIAL_TEST_SEED ?? Date.now() % 2 ** 31);
const PARTITIONS = 3;
const USERS = 12;
const EVENTS_PER_USER = 20;
const BATCH_EVENTS = 30;
const START_MS = Date.UTC(2024, 2, 1, 12);
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** When everything is sent again, after the first time; ids are remembered for 24 h. */
const REMEMBERED_AFTER_MS = [2 * MINUTE_MS, 40 * MINUTE_MS, 5 * HOUR_MS, 23 * HOUR_MS];
const FORGOTTEN_AFTER_MS = 49 * HOUR_MS;
const SERVICES_TOPICS: TopicName[] = [
  'eventReceived',
  'actionOutcome',
  'eventAccepted',
  'eventRejected',
  'featureUpdated',
  'deadLettered',
];

describe(`the same events again, minutes and hours later (seed ${SEED})`, () => {
  const { brokers } = readTestEnvironment();
  const namespace = `again${createRunName()}`;
  const random = createSeededRandom(SEED);
  const batches = createBatches();
  const userIds = Array.from({ length: USERS }, (_, user) => `user ${user}`);
  const ingest = createServiceRunner('ingest');
  const featureStore = createServiceRunner('feature-store');
  const byEvents = { PERENNIAL_CLOCK_MODE: 'events' };
  const keys: string[] = [];
  let log: Log;
  let running: RunningService;
  let store: RunningService;

  beforeAll(async () => {
    const connection = { brokers, clientId: 'test', logger: createSilentLogger() };
    log = createKafkaLog(connection);
    const specs = SERVICES_TOPICS.map((name) => {
      const { cleanup } = TOPICS[name];
      return { name: toTopic(namespace, name), partitions: PARTITIONS, cleanup, retentionMs: -1 };
    });
    await createTopics(connection, specs);
    await ingest.command(namespace, ['migrate']);
    for (const name of ['web', 'mobile']) {
      const create = ['sources', 'create', '--name', name, '--rate', 'unlimited', '--json'];
      const created = await ingest.command(namespace, create);
      keys.push((JSON.parse(created) as { writeKey: string }).writeKey);
    }
    running = await ingest.start(namespace, byEvents);
    store = await featureStore.start(namespace);
    await moveClock(START_MS);
    await sendAll(0);
    await moveClock(START_MS + MINUTE_MS);
  }, 90_000);

  afterAll(async () => {
    await ingest.killAll();
    await featureStore.killAll();
    await log?.close();
  });

  it('counts each once, whoever sends it again and when', async () => {
    for (const [round, afterMs] of REMEMBERED_AFTER_MS.entries()) {
      await moveClock(START_MS + afterMs);
      const sources = round % 2 === 0 ? [1] : [0, 1];
      await Promise.all(sources.map((source) => sendAll(source)));
      await moveClock(START_MS + afterMs + MINUTE_MS);
      expect({ afterMs, counts: await readCounts(START_MS + afterMs + MINUTE_MS) }).toEqual({
        afterMs,
        counts: userIds.map((userId) => ({ userId, events: EVENTS_PER_USER, orders: EVENTS_PER_USER / 2 })),
      });
    }
    const accepted = await readTopic(log, toTopic(namespace, 'eventAccepted'));
    expect(accepted.filter(({ key }) => key !== null)).toHaveLength(7 * USERS * EVENTS_PER_USER);
  }, 120_000);

  it('does not know them any more when ids are no longer remembered', async () => {
    await moveClock(START_MS + FORGOTTEN_AFTER_MS);
    await sendAll(0);
    await moveClock(START_MS + FORGOTTEN_AFTER_MS + MINUTE_MS);
    const counts = await readCounts(START_MS + FORGOTTEN_AFTER_MS + MINUTE_MS);
    expect(counts.map(({ events }) => events)).toEqual(userIds.map(() => 2 * EVENTS_PER_USER));
  }, 60_000);

  async function post(path: string, { authorization }: { authorization: string }, body: unknown): Promise<void> {
    const headers = { authorization, 'content-type': 'application/json' };
    const response = await fetch(`${running.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    expect({ status: response.status, text: await response.text() }).toMatchObject({ status: 200 });
  }

  const moveClock = (toMs: number) => post('/v1/clock', AUTHORIZATION, { to: new Date(toMs).toISOString() });

  async function sendAll(source: number): Promise<void> {
    for (const batch of shuffle(batches)) {
      await post('/v1/batch', { authorization: `Bearer ${keys[source]}` }, { batch: shuffle(batch) });
    }
  }

  function shuffle<T>(list: readonly T[]): T[] {
    const drawn = list.map((item) => ({ item, place: random() }));
    return drawn.sort((a, b) => a.place - b.place).map(({ item }) => item);
  }

  async function readCounts(atMs: number): Promise<Array<{ userId: string; events: number; orders: number }>> {
    let profiles: Array<{ userId: string; asOf: string; features: Record<string, number> }> = [];
    await eventually(
      async () => {
        const response = await fetch(`${store.url}/v1/features`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...AUTHORIZATION },
          body: JSON.stringify({ userIds }),
        });
        ({ profiles } = (await response.json()) as { profiles: typeof profiles });
        return profiles.every(({ asOf }) => Date.parse(asOf) === atMs);
      },
      { withinMs: 30_000, what: 'all processed' },
    );
    return profiles.map(({ userId, features }) => ({
      userId,
      events: features.events_count_all ?? Number.NaN,
      orders: features.orders_count_all ?? Number.NaN,
    }));
  }
});

/** All events in batches; every second one of a user is an order. */
function createBatches(): object[][] {
  const events = Array.from({ length: USERS * EVENTS_PER_USER }, (_, n) => {
    const userId = `user ${n % USERS}`;
    const timestamp = new Date(START_MS - n * 1000).toISOString();
    const common = { type: 'track', messageId: `m${n}`, userId, timestamp };
    return Math.floor(n / USERS) % 2 === 0
      ? { ...common, event: 'Order Completed', properties: { revenue: 1 + (n % 5) } }
      : { ...common, event: 'Product Viewed', properties: {} };
  });
  const batches: object[][] = [];
  for (let from = 0; from < events.length; from += BATCH_EVENTS) batches.push(events.slice(from, from + BATCH_EVENTS));
  return batches;
}
