import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  FeatureRecord,
  type Rollout,
  type SegmentChanged,
  type StageChanged,
  TOPICS,
  toConsumerGroup,
  toPartition,
  toTopic,
} from '@perennial/contracts';
import { compileFeatures, ECOMMERCE_FEATURES, type EngineState } from '@perennial/feature-engine';
import { createKafkaLog, createTopics, type Log, type OutgoingRecord } from '@perennial/kafka';
import { must } from '@perennial/kernel';
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
 * Scoring in a process of its own, on real Kafka, Redis and PostgreSQL, with the default model and chart: transitions
 * have no gaps and are the same in the topic and in PostgreSQL; a run with `kill -9` publishes the same as one without.
 */

const spec = compileFeatures(ECOMMERCE_FEATURES);
const PARTITIONS = 3;
const USERS = 60;
const ORDERS_PER_USER = 12;
const DAYS = 400;
const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2023, 0, 1);

/** Segments of infra/defaults/segments.yaml, in its order. */
const DEFAULT_SEGMENTS = [
  'first_time_buyers',
  'repeat_buyers',
  'big_spenders',
  'slipping_away',
  'frequent_returners',
  'abandoned_basket',
];

const pseudonymizer = createPseudonymizer(SECRET);

interface MemberPage {
  readonly members: ReadonlyArray<{ readonly userId: string }>;
  readonly next: string | null;
}

interface TransitionPage {
  readonly transitions: StageChanged[];
  readonly next: string | null;
}

describe('scoring', () => {
  const { brokers } = readTestEnvironment();
  const run = createRunName();
  const service = createServiceRunner('scoring');
  const logger = createLogger({ service: 'test', namespace: 'test', instanceId: 'test', level: 'error' });
  const userIds = Array.from({ length: USERS }, (_, i) => `user ${i}`);
  let log: Log;
  let calm: Awaited<ReturnType<typeof runNamespace>>;

  beforeAll(async () => {
    log = createKafkaLog({ brokers, clientId: 'test', logger });
    calm = await runNamespace(`scalm${run}`, false);
  }, 120_000);

  afterAll(async () => {
    await service.killAll();
    await log?.close();
  });

  it('numbers the transitions of each profile without gaps, and each goes on where the last one ended', () => {
    expect(calm.changes.size).toBe(USERS);
    for (const changes of calm.changes.values()) {
      changes.forEach((change, index) => {
        expect(change.number).toBe(index + 1);
        expect(change.from).toBe(index === 0 ? null : changes[index - 1]?.to);
        expect(change).toMatchObject({ lifecycleVersion: 1, modelHash: expect.stringMatching(/^[0-9a-f]{64}$/) });
      });
    }
    const stages = new Set([...calm.changes.values()].flat().map(({ to }) => to));
    expect([...stages]).toEqual(expect.arrayContaining(['new', 'activated', 'at_risk']));
    expect([...calm.changes.values()].flat().some(({ cause }) => cause === 'timer')).toBe(true);
  });

  it('serves the same from PostgreSQL and from Redis', () => {
    for (const [userId, { profile, transitions }] of calm.served) {
      const changes = must(calm.changes.get(userId), userId);
      expect(transitions.map(({ number, from, to, at }) => ({ number, from, to, at })).reverse()).toEqual(
        changes.map(({ number, from, to, at }) => ({ number, from, to, at })),
      );
      expect(profile).toMatchObject({ known: true, stage: changes.at(-1)?.to, transitionNumber: changes.length });
      expect(profile.scores.purchase).toBeGreaterThan(0);
    }
    expect(calm.counted.profiles).toBe(USERS);
  });

  it('serves the members of segments that the last records of the topic say, and numbers the changes of a profile without gaps', () => {
    const { changes, served } = calm.segments;
    expect(served).toMatchObject({ first_time_buyers: [], abandoned_basket: [] });
    expect(served.repeat_buyers).toHaveLength(USERS);
    const byProfile = new Map<string, SegmentChanged[]>();
    for (const change of changes)
      byProfile.set(change.profileKey, [...(byProfile.get(change.profileKey) ?? []), change]);
    for (const list of byProfile.values()) expect(list.map(({ number }) => number)).toEqual(list.map((_, i) => i + 1));
    expect(changes.filter(({ change, segment }) => change === 'left' && segment === 'first_time_buyers')).toHaveLength(
      USERS,
    );
    expect(changes.some(({ cause }) => cause === 'timer')).toBe(true);
  });

  it('publishes the same after kill -9', async () => {
    const killed = await runNamespace(`skill${run}`, true);
    expect(killed.segments).toEqual(calm.segments);
    expect(killed.changes).toEqual(calm.changes);
    expect(toSeen(killed.scores)).toEqual(toSeen(calm.scores));
  }, 120_000);

  async function runNamespace(namespace: string, isKilled: boolean) {
    await makeTopics(namespace);
    await service.command(namespace, ['migrate']);
    const inForce = [
      await register(namespace, 'lifecycle', 'infra/defaults/lifecycle.yaml'),
      await register(namespace, 'model', 'trainer/models/default'),
      await register(namespace, 'segments', 'infra/defaults/segments.yaml'),
    ];
    const producer = await log.createProducer();
    await producer.send(createRecords(namespace, userIds, inForce));
    await producer.close();
    if (isKilled) await startAndKill(namespace);
    const running = await service.start(namespace);
    const { url } = running;
    await eventually(() => isWorkedOff(namespace), { withinMs: 60_000, what: `${namespace} processed` });
    const changes = toChanges(await readTopic(log, toTopic(namespace, 'stageChanged')));
    const counted = await waitForSink(url, [...changes.values()].flat().length);
    const served = new Map(await Promise.all(userIds.map(async (userId) => [userId, await ask(url, userId)] as const)));
    const segments = await readSegments(namespace, url);
    expect(await service.end(running, 'SIGTERM')).toBe(0);
    const read = await readTopic(log, toTopic(namespace, 'scoreComputed'));
    const scores: OutgoingRecord[] = read.map((record) => ({ ...record, topic: TOPICS.scoreComputed.baseName }));
    return { changes, counted, served, scores, segments };
  }

  /** The members of each segment by the topic, and as served once the sink has all changes. */
  async function readSegments(namespace: string, url: string) {
    const changes = (await readTopic(log, toTopic(namespace, 'segmentChanged'))).map(parse<SegmentChanged>);
    const audience = toAudience(changes);
    const served: Record<string, string[]> = {};
    await eventually(
      async () => {
        const { segments } = await read<{ segments: Array<{ name: string }> }>(`${url}/v1/segments`);
        for (const { name } of segments) served[name] = await readMembers(url, name);
        return JSON.stringify(served) === JSON.stringify(audience);
      },
      { withinMs: 60_000, what: `members as in the topic: ${JSON.stringify({ served, audience })}` },
    );
    return { changes: toDistinct(changes), served };
  }

  async function readMembers(url: string, segment: string): Promise<string[]> {
    const userIdsOf: string[] = [];
    for (let cursor = ''; ; ) {
      const page = await read<MemberPage>(`${url}/v1/segments/${segment}/members?limit=7${cursor}`);
      userIdsOf.push(...page.members.map(({ userId }) => userId));
      if (page.next === null) return userIdsOf.sort();
      cursor = `&cursor=${page.next}`;
    }
  }

  async function startAndKill(namespace: string): Promise<void> {
    const running = await service.start(namespace);
    await eventually(async () => (await countScores(namespace)) > 200, { withinMs: 60_000, what: 'some work done' });
    await service.end(running, 'SIGKILL');
    // Otherwise the test would check nothing: give it more records.
    expect(await countScores(namespace)).toBeLessThan(calm.scores.length);
  }

  async function countScores(namespace: string): Promise<number> {
    const offsets = await log.offsets(toTopic(namespace, 'scoreComputed'));
    return [...offsets.values()].reduce((sum, { high }) => sum + high, 0);
  }

  async function isWorkedOff(namespace: string): Promise<boolean> {
    const topic = toTopic(namespace, 'featureUpdated');
    const committed = await log.groupOffsets(toConsumerGroup(namespace, 'scoring'), topic);
    return [...(await log.offsets(topic))].every(([partition, { high }]) => committed.get(partition) === high);
  }

  /** The sink runs behind: waits until it has all transitions. */
  async function waitForSink(url: string, transitions: number) {
    let stored = 0;
    await eventually(
      async () => {
        const metrics = await (await fetch(`${url}/metrics`)).text();
        const lines = metrics.split('\n').filter((line) => line.startsWith('scoring_transitions_stored_total{'));
        stored = lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
        const { stages } = await read<{ stages: object }>(`${url}/v1/stages`);
        return stored >= transitions || (Object.keys(stages).length > 0 && (await isStored(url)));
      },
      { withinMs: 60_000, what: `${transitions} transitions stored (${stored} so far)` },
    );
    return read<{ profiles: number; stages: Record<string, number> }>(`${url}/v1/stages`);
  }

  /** After a kill the old process's metrics are gone; so each profile's history must be as long as its state says. */
  async function isStored(url: string): Promise<boolean> {
    const answers = await Promise.all(userIds.map((userId) => ask(url, userId)));
    return answers.every(({ profile, transitions }) => transitions.length === profile.transitionNumber);
  }

  async function ask(url: string, userId: string) {
    const id = encodeURIComponent(userId);
    const profile = await read<{ transitionNumber: number; scores: { purchase: number } }>(`${url}/v1/profiles/${id}`);
    const transitions: StageChanged[] = [];
    // Small pages: new transitions in between must not shift them.
    for (let cursor = ''; ; ) {
      const page = await read<TransitionPage>(`${url}/v1/transitions?userId=${id}&limit=2${cursor}`);
      transitions.push(...page.transitions);
      if (page.next === null) return { profile, transitions };
      cursor = `&cursor=${page.next}`;
    }
  }

  async function read<T>(url: string): Promise<T> {
    const response = await fetch(url, { headers: AUTHORIZATION });
    expect(response.status).toBe(200);
    return (await response.json()) as T;
  }

  async function register(namespace: string, kind: string, path: string): Promise<Rollout> {
    return JSON.parse(await service.command(namespace, ['register', kind, path])) as Rollout;
  }

  async function makeTopics(namespace: string): Promise<void> {
    const names = ['featureUpdated', 'scoreComputed', 'stageChanged', 'segmentChanged', 'deadLettered'] as const;
    const specs = names.map((name) => {
      const { cleanup } = TOPICS[name];
      return { name: toTopic(namespace, name), partitions: PARTITIONS, cleanup, retentionMs: -1 };
    });
    await createTopics({ brokers, clientId: 'test', logger }, specs);
  }
});

function parse<T>({ value }: { readonly value: Buffer | null }): T {
  return JSON.parse(String(value)) as T;
}

/** Each change once (a repeat after a crash has the same content), in the order of profile and number. */
function toDistinct(changes: readonly SegmentChanged[]): SegmentChanged[] {
  const byId = new Map<string, SegmentChanged>();
  for (const change of changes) {
    const id = `${change.profileKey} ${String(change.number).padStart(6, '0')}`;
    expect(change).toEqual(byId.get(id) ?? change);
    byId.set(id, change);
  }
  return [...byId].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, change]) => change);
}

/** User ids by segment, in the order of the default file: what the last record of each key says. */
function toAudience(records: readonly SegmentChanged[]): Record<string, string[]> {
  const last = new Map<string, SegmentChanged>();
  for (const record of records) last.set(`${record.profileKey}:${record.segment}`, record);
  const members = [...last.values()].filter(({ change }) => change === 'entered');
  return Object.fromEntries(
    DEFAULT_SEGMENTS.map((name) => [
      name,
      members
        .filter(({ segment }) => segment === name)
        .map(({ userId }) => must(userId, 'userId'))
        .sort(),
    ]),
  );
}

/** Transitions by user, each content once (a repeat after a crash has the same position). */
function toChanges(records: readonly { value: Buffer | null }[]): Map<string, StageChanged[]> {
  const changes = new Map<string, StageChanged[]>();
  for (const { value } of records) {
    const change = JSON.parse(String(value)) as StageChanged;
    const userId = must(change.userId, 'userId');
    const known = changes.get(userId) ?? [];
    const before = known[change.number - 1];
    if (before === undefined) changes.set(userId, [...known, change]);
    else expect(change).toEqual(before);
  }
  return changes;
}

/** What feature-store would write: rollouts first, a vector for each order, a tick a day on every partition. */
function createRecords(namespace: string, userIds: readonly string[], inForce: readonly Rollout[]): OutgoingRecord[] {
  const topic = toTopic(namespace, 'featureUpdated');
  const records: OutgoingRecord[] = [];
  const toAll = (record: FeatureRecord['record']) => {
    const value = Buffer.from(FeatureRecord.encode({ record }).finish());
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      records.push({ topic, partition, key: null, value, headers: {} });
    }
  };
  for (const rollout of inForce) toAll({ $case: 'rollout', value: rollout });
  const states = new Map<string, EngineState>();
  const orders = createOrders(userIds);
  let next = 0;
  for (let day = 0; day <= DAYS; day += 1) {
    const timeMs = START_MS + day * DAY_MS;
    for (let order = orders[next]; order !== undefined && order.atMs <= timeMs; order = orders[++next]) {
      const { userId, atMs } = order;
      const event = { messageId: `m${next}`, type: 'track', name: 'Order Completed', timestampMs: atMs };
      const folded = spec.apply(states.get(userId), { ...event, properties: { revenue: order.revenue } });
      states.set(userId, folded.state);
      const key = pseudonymizer.toProfileKey({ userId });
      const update = {
        specHash: spec.specHash,
        asOfMs: atMs,
        values: spec.vector(folded.state, atMs).values.map((value) => value ?? Number.NaN),
        lastEventAtMs: atMs,
        subject: pseudonymizer.seal(userId),
        timeZone: '',
        attributes: [],
        event: { ...event, value: order.revenue },
      };
      const value = Buffer.from(FeatureRecord.encode({ record: { $case: 'updated', value: update } }).finish());
      records.push({ topic, partition: toPartition(key, PARTITIONS), key: Buffer.from(key), value, headers: {} });
    }
    toAll({ $case: 'tick', value: { timeMs } });
  }
  return records;
}

/** Orders in order of time: some users buy all year long, others only in the beginning. */
function createOrders(userIds: readonly string[]) {
  const orders = userIds.flatMap((userId, user) =>
    Array.from({ length: ORDERS_PER_USER }, (_, order) => {
      const stepDays = 2 + ((user * 7) % 29);
      const atMs = START_MS + Math.round((1 + (user % 11) + order * stepDays) * DAY_MS + user * 60_000);
      return { userId, atMs, revenue: 10 + ((user * 13 + order * 5) % 90) };
    }),
  );
  return orders.sort((a, b) => a.atMs - b.atMs);
}
