import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AcceptedRecord, TOPICS, toPartition, toTopic } from '@perennial/contracts';
import { ID_STRENGTHS } from '@perennial/identity';
import { createKafkaLog, createTopics, type Log, type OutgoingRecord } from '@perennial/kafka';
import { createSeededRandom } from '@perennial/kernel';
import { createPseudonymizer } from '@perennial/privacy';
import { createLogger } from '@perennial/telemetry';
import { AUTHORIZATION } from '../support/access.js';
import { readTestEnvironment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { readTopic } from '../support/read-topic.js';
import { createRunName } from '../support/run-name.js';
import { createServiceRunner, SECRET } from '../support/service-process.js';

/*
 * Joins in the feature-store, in a process of its own on real Kafka and Redis that is killed while profiles hand over:
 * in the end each person has the orders of all of his ids, each once.
 */

const PARTITIONS = 4;
const PERSONS = 40;
const ORDERS = 1_200;
const CHUNKS = 3;
const NOON = Date.UTC(2024, 4, 15, 12);
const SEED = Number(process.env.PERENNIAL_TEST_SEED ?? Date.now() % 2 ** 31);

type Id = { readonly userId: string } | { readonly anonymousId: string };

interface Order {
  readonly person: number;
  readonly messageId: string;
  readonly cents: number;
  readonly self: Id;
  readonly claims?: Id;
  readonly alias?: Id;
}

describe(`joins in the feature-store (seed ${SEED})`, () => {
  const { brokers } = readTestEnvironment();
  const namespace = `joins${createRunName()}`;
  const service = createServiceRunner('feature-store');
  const logger = createLogger({ service: 'test', namespace: 'test', instanceId: 'test', level: 'error' });
  const pseudonymizer = createPseudonymizer(SECRET);
  const orders = createOrders(createSeededRandom(SEED));
  let log: Log;

  beforeAll(async () => {
    log = createKafkaLog({ brokers, clientId: 'test', logger });
    const specs = (['eventAccepted', 'featureUpdated', 'deadLettered'] as const).map((name) => {
      const { cleanup } = TOPICS[name];
      return { name: toTopic(namespace, name), partitions: PARTITIONS, cleanup, retentionMs: -1 };
    });
    await createTopics({ brokers, clientId: 'test', logger }, specs);
  }, 90_000);

  afterAll(async () => {
    await service.killAll();
    await log?.close();
  });

  it('gives each person the orders of all ids once, over kill -9', async () => {
    const producer = await log.createProducer();
    for (let chunk = 0; chunk < CHUNKS; chunk++) {
      const running = await service.start(namespace);
      const from = (chunk * ORDERS) / CHUNKS;
      await producer.send(toRecords(orders.slice(from, from + ORDERS / CHUNKS)));
      const seen = () => readTopic(log, toTopic(namespace, 'eventAccepted'));
      await eventually(async () => (await seen()).some(({ headers }) => Object.keys(headers).length > 0), {
        withinMs: 40_000,
        what: 'a hand-over',
      });
      await service.end(running, 'SIGKILL');
    }
    const { url } = await service.start(namespace);
    const expected = Array.from({ length: PERSONS }, (_, person) => toTotals(orders, person));
    await eventually(async () => expect(await ask(url)).toEqual(expected), { withinMs: 60_000, what: 'all orders' });
    await producer.close();
    const written = await readTopic(log, toTopic(namespace, 'eventAccepted'));
    const kinds = new Set(written.map(({ value }) => AcceptedRecord.decode(value ?? Buffer.alloc(0)).record?.$case));
    expect([...kinds].toSorted()).toEqual(['event', 'handOver', 'join', 'link']);
    expect(await readTopic(log, toTopic(namespace, 'deadLettered'))).toEqual([]);
    await takeBack(url, expected);
  }, 180_000);

  /** One order of a person with several ids, by the id of a message that came under any of them. */
  async function takeBack(url: string, before: ReadonlyArray<readonly [number, number]>): Promise<void> {
    const order = orders.find(({ person, self }) => person === 0 && 'anonymousId' in self) ?? orders[0];
    const { person = 0, messageId, cents = 0 } = order ?? {};
    const retract = async () => {
      const response = await fetch(`${url}/v1/profiles/${encodeURIComponent(`user ${person}`)}/retractions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...AUTHORIZATION },
        body: JSON.stringify({ messageId, by: 'a test', reason: 'to see' }),
      });
      return { status: response.status, body: await response.json() };
    };
    expect(await retract()).toMatchObject({ status: 200, body: { messageId, result: 'taken_back' } });
    const [count, revenue] = before[person] ?? [0, 0];
    expect((await ask(url))[person]).toEqual([count - 1, Math.round(revenue * 100 - cents) / 100]);
    expect(await retract()).toMatchObject({ status: 200, body: { result: 'repeated' } });
  }

  /** Orders and revenue of each person, by his first user id. */
  async function ask(url: string): Promise<unknown[]> {
    const response = await fetch(`${url}/v1/features`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...AUTHORIZATION },
      body: JSON.stringify({ userIds: Array.from({ length: PERSONS }, (_, person) => `user ${person}`) }),
    });
    const { profiles } = (await response.json()) as { profiles: Array<{ features: Record<string, number> }> };
    return profiles.map(({ features }) => [features.orders_count_all, features.orders_revenue_sum_all]);
  }

  function toRecords(some: readonly Order[]): OutgoingRecord[] {
    const topic = toTopic(namespace, 'eventAccepted');
    return some.flatMap((order, index) => {
      const key = pseudonymizer.toProfileKey(order.self);
      const value = Buffer.from(AcceptedRecord.encode({ record: { $case: 'event', value: toEvent(order) } }).finish());
      const record = { topic, partition: toPartition(key, PARTITIONS), key: Buffer.from(key), value, headers: {} };
      return index % 3 === 0 ? [record, record] : [record];
    });
  }

  function toEvent({ messageId, cents, self, claims, alias }: Order) {
    return {
      messageId,
      sourceId: 'test',
      type: 'track',
      name: 'Order Completed',
      timestampMs: NOON,
      receivedAtMs: NOON,
      subject: pseudonymizer.seal(toText(self)),
      anonymous: 'anonymousId' in self,
      propertiesJson: Buffer.from('{}'),
      timeZone: '',
      amount: cents / 100,
      currency: '',
      traits: undefined,
      plan: undefined,
      namedIds: [
        ...(claims === undefined ? [] : [{ profile: toRef(claims), alias: false }]),
        ...(alias === undefined ? [] : [{ profile: toRef(alias), alias: true }]),
      ],
      forwardedTo: undefined,
    };
  }

  function toRef(id: Id) {
    const strength = 'userId' in id ? ID_STRENGTHS.user : ID_STRENGTHS.anonymous;
    return { key: pseudonymizer.toProfileKey(id), strength, subject: pseudonymizer.seal(toText(id)) };
  }
});

function toText(id: Id): string {
  return 'userId' in id ? id.userId : id.anonymousId;
}

/** Each person has two user ids that an alias joins and two devices, which his orders name now and then. */
function createOrders(random: () => number): Order[] {
  const pick = (below: number) => Math.floor(random() * below);
  const orders = Array.from({ length: ORDERS }, (_, index): Order => {
    const person = pick(PERSONS);
    const users = [{ userId: `user ${person}` }, { userId: `other ${person}` }] as const;
    const device = { anonymousId: `device ${person}.${pick(2)}` };
    const base = { person, messageId: `m${index}`, cents: pick(10_000) };
    switch (pick(6)) {
      case 0:
      case 1:
        return { ...base, self: device };
      case 2:
        return { ...base, self: users[pick(2)] ?? users[0], claims: device };
      case 3:
        return { ...base, self: users[0], alias: users[1] };
      default:
        return { ...base, self: users[pick(2)] ?? users[0] };
    }
  });
  // Everybody's ids are joined in the end, whatever was drawn.
  return orders.map((order, index) => {
    if (index < ORDERS - 3 * PERSONS) return order;
    const person = index % PERSONS;
    const self = { userId: `user ${person}` };
    const base = { person, messageId: order.messageId, cents: order.cents, self };
    const part = Math.floor((index - (ORDERS - 3 * PERSONS)) / PERSONS);
    if (part === 2) return { ...base, alias: { userId: `other ${person}` } };
    return { ...base, claims: { anonymousId: `device ${person}.${part}` } };
  });
}

function toTotals(orders: readonly Order[], person: number): [number, number] {
  const own = orders.filter((order) => order.person === person);
  return [own.length, own.reduce((sum, { cents }) => sum + cents, 0) / 100];
}
