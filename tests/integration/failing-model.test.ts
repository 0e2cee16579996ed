import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  FeatureRecord,
  type Rollout,
  ScoreRecord,
  TOPICS,
  toConsumerGroup,
  toPartition,
  toTopic,
} from '@perennial/contracts';
import { compileFeatures, ECOMMERCE_FEATURES } from '@perennial/feature-engine';
import { createKafkaLog, createTopics, type Log, type OutgoingRecord } from '@perennial/kafka';
import { toSha256 } from '@perennial/kernel';
import { parseDeadLetter } from '@perennial/keyed-processor';
import { createTinyGraph, createTrapGraph, type Trap } from '@perennial/onnx/testing';
import { createPseudonymizer } from '@perennial/privacy';
import { createLogger } from '@perennial/telemetry';
import { readTestEnvironment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { readTopic } from '../support/read-topic.js';
import { createRunName } from '../support/run-name.js';
import { createServiceRunner, SECRET } from '../support/service-process.js';

/*
 * Models that fail on a row (throw, ask for all memory, never end), in scoring in a process of its own, on real Kafka, Redis
 * and PostgreSQL: that row has no score and is a dead letter, all others go on, and a later model heals.
 */

const spec = compileFeatures(ECOMMERCE_FEATURES);
const features = spec.names.length;
const PARTITIONS = 2;
const LIMIT = 4_000;
const T0 = Date.UTC(2026, 0, 1);
const pseudonymizer = createPseudonymizer(SECRET);
const CHART = `version: 1
initial: prospect
stages:
  prospect: { transitions: [{ to: active, when: "features.orders_count_all > 5000" }] }
  active: {}
`;

describe('a model that fails on a row', () => {
  const { brokers } = readTestEnvironment();
  const run = createRunName();
  const service = createServiceRunner('scoring');
  const logger = createLogger({ service: 'test', namespace: 'test', instanceId: 'test', level: 'error' });
  const folder = mkdtempSync(join(tmpdir(), 'failing-model-'));
  let log: Log;

  beforeAll(() => {
    log = createKafkaLog({ brokers, clientId: 'test', logger });
  });

  afterAll(async () => {
    await service.killAll();
    await log?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each<[Trap, string]>([
    ['throws', 'error'],
    ['memory', 'memory'],
    ['loop', 'time'],
  ])(
    '%s: costs that row its score, and nothing else',
    async (trap, reason) => {
      const namespace = `trap${trap}${run}`.toLowerCase();
      await makeTopics(namespace);
      await service.command(namespace, ['migrate']);
      const chart = await register(namespace, 'lifecycle', writeChart());
      const model = await register(
        namespace,
        'model',
        writeModel(trap, createTrapGraph(features, trap, { limit: LIMIT })),
      );
      const later = await register(namespace, 'model', writeModel('sound', sound));
      const users = Array.from({ length: 30 }, (_, user) => `user ${user}`);
      const records = [
        ...toAll(namespace, chart, model),
        ...users.map((userId) => toUpdate(namespace, userId, 1)),
        toUpdate(namespace, 'whale', LIMIT + 5_000),
        ...users.map((userId) => toUpdate(namespace, userId, 2)),
        ...toAll(namespace, later),
        toUpdate(namespace, 'whale', LIMIT + 5_001),
        ...users.map((userId) => toUpdate(namespace, userId, 3)),
      ];
      const producer = await log.createProducer();
      await producer.send(records);
      await producer.close();
      const running = await service.start(namespace);
      await eventually(() => isProcessed(namespace), { withinMs: 150_000, what: `${namespace} processed` });

      const letters = (await readTopic(log, toTopic(namespace, 'deadLettered'))).map(parseDeadLetter);
      expect(letters.map((letter) => letter?.cause)).toEqual([
        expect.stringMatching(`^the model ${trap} failed on this row \\(${reason}\\): `),
      ]);
      const scores = await readScores(namespace);
      expect(scores).toHaveLength(2 * 30 + 1 + 1 + 30);
      const whale = scores.filter(({ key }) => key === toKey('whale'));
      expect(whale).toMatchObject([
        // The stage goes on without a score, and the later model scores the profile.
        { modelHash: '', scores: [], stage: 'active' },
        { modelHash: later.hash, scores: [expect.any(Number)], stage: 'active' },
      ]);
      const others = scores.filter(({ key }) => key !== toKey('whale'));
      expect(others.every(({ scores: found }) => found.length === 1)).toBe(true);
      expect(others.filter(({ modelHash }) => modelHash === model.hash)).toHaveLength(60);
      const metrics = await (await fetch(`${running.url}/metrics`)).text();
      expect(metrics).toMatch(new RegExp(`^scoring_rows_failed_total\\{[^}]*reason="${reason}"[^}]*\\} 1$`, 'm'));
      expect(await service.end(running, 'SIGTERM')).toBe(0);
    },
    240_000,
  );

  it('is rejected when it is registered, with a sentence, where it fails on every row', async () => {
    const namespace = `trapreg${run}`;
    await service.command(namespace, ['migrate']);
    for (const [trap, sentence] of [
      ['loop', /is rejected: opening it and scoring a few rows, it needs more than 6000 ms of CPU time/],
      ['bigMemory', /is rejected: it needs more than the 512 MiB of memory that its process may have/],
      ['throws', /is rejected: on a generated row, .*Gather/],
    ] as const) {
      const path = writeModel(`bad ${trap}`, createTrapGraph(features, trap));
      await expect(service.command(namespace, ['register', 'model', path])).rejects.toMatchObject({
        code: 2,
        stderr: expect.stringMatching(sentence),
      });
    }
  }, 240_000);

  const sound = createTinyGraph(features, [
    { name: 'score', isFlat: true, isProbability: true, columns: [{ constant: 1 }] },
  ]);

  function writeChart(): string {
    const path = join(folder, 'lifecycle.yaml');
    writeFileSync(path, CHART);
    return path;
  }

  function writeModel(name: string, file: Buffer): string {
    const path = join(folder, name);
    mkdirSync(path, { recursive: true });
    const manifest = {
      formatVersion: 2,
      name,
      kind: 'tabular',
      file: { name: 'model.onnx', sha256: toSha256(file) },
      inputs: [{ name: 'features', dtype: 'float32', shape: [null, features] }],
      outputs: [{ name: 'score', dtype: 'float32', shape: [null] }],
      features: spec.features,
      heads: [{ name: 'score', output: 'score', meaning: 'A score', kind: 'probability' }],
    };
    writeFileSync(join(path, 'model.onnx'), file);
    writeFileSync(join(path, 'manifest.json'), JSON.stringify(manifest));
    return path;
  }

  async function register(namespace: string, kind: string, path: string): Promise<Rollout> {
    return JSON.parse(await service.command(namespace, ['register', kind, path])) as Rollout;
  }

  async function isProcessed(namespace: string): Promise<boolean> {
    const topic = toTopic(namespace, 'featureUpdated');
    const committed = await log.groupOffsets(toConsumerGroup(namespace, 'scoring'), topic);
    return [...(await log.offsets(topic))].every(([partition, { high }]) => committed.get(partition) === high);
  }

  async function readScores(namespace: string) {
    const records = await readTopic(log, toTopic(namespace, 'scoreComputed'));
    return records.flatMap(({ key, value }) => {
      const { record } = ScoreRecord.decode(value ?? Buffer.alloc(0));
      return record?.$case === 'computed' ? [{ key: String(key), ...record.value }] : [];
    });
  }

  async function makeTopics(namespace: string): Promise<void> {
    const names = ['featureUpdated', 'scoreComputed', 'stageChanged', 'deadLettered'] as const;
    const specs = names.map((name) => {
      const { cleanup } = TOPICS[name];
      return { name: toTopic(namespace, name), partitions: PARTITIONS, cleanup, retentionMs: -1 };
    });
    await createTopics({ brokers, clientId: 'test', logger }, specs);
  }
});

const toKey = (userId: string) => pseudonymizer.toProfileKey({ userId });

function toAll(namespace: string, ...rollouts: readonly Rollout[]): OutgoingRecord[] {
  return rollouts.flatMap((rollout) =>
    Array.from({ length: PARTITIONS }, (_, partition) => {
      const value = Buffer.from(FeatureRecord.encode({ record: { $case: 'rollout', value: rollout } }).finish());
      return { topic: toTopic(namespace, 'featureUpdated'), partition, key: null, value, headers: {} };
    }),
  );
}

function toUpdate(namespace: string, userId: string, orders: number): OutgoingRecord {
  const values = spec.names.map((name) =>
    name.startsWith('orders_count') ? orders : name.endsWith('_days') ? Number.NaN : 0,
  );
  const update = {
    specHash: spec.specHash,
    asOfMs: T0,
    values,
    lastEventAtMs: T0,
    subject: pseudonymizer.seal(userId),
    timeZone: '',
    attributes: [],
    event: { messageId: `${userId} ${orders}`, type: 'track', name: 'Order Completed', timestampMs: T0, value: 1 },
  };
  const value = Buffer.from(FeatureRecord.encode({ record: { $case: 'updated', value: update } }).finish());
  const key = toKey(userId);
  const topic = toTopic(namespace, 'featureUpdated');
  return { topic, partition: toPartition(key, PARTITIONS), key: Buffer.from(key), value, headers: {} };
}
