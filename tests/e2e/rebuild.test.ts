import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createFolderBlobStore } from '@perennial/blob-store';
import { PROCESSOR_NAMES, PROCESSORS, type TopicName, toTopic } from '@perennial/contracts';
import { createKafkaLog, type Log } from '@perennial/kafka';
import { trimTopic } from '@perennial/kafka/testing';
import { must } from '@perennial/kernel';
import { toPartitionKeys } from '@perennial/keyed-processor';
import { ensurePlatform, type Platform, rebuildNamespace } from '@perennial/launcher';
import { connectRedis, type Redis } from '@perennial/redis';
import { createSilentLogger } from '@perennial/telemetry';
import { backfillFile } from '../support/backfilled-namespace.js';
import { readTestEnvironment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { createHistory, toCsv } from '../support/purchase-history.js';
import { readTopic } from '../support/read-topic.js';
import { createRunName } from '../support/run-name.js';

/*
 * Redis is emptied, snapshots are removed, and the log is cut where the archive ends, so only the archive is left. The
 * rebuilt states, and those after the services have continued, must equal the earlier states byte for byte.
 */

const ROOT = join(import.meta.dirname, '../..');
const PARTITIONS = 3;
const SEED = Number(process.env.PERENNIAL_TEST_SEED ?? Date.now() % 2 ** 31);
const CHAIN = PROCESSOR_NAMES.map((processor) => ({ processor, topic: PROCESSORS[processor].input }));

const QUIET_LOOKS = 10;
const QUIET_LOOK_MS = 300;

describe(`a namespace of which only the archive is left (seed ${SEED})`, () => {
  const environment = readTestEnvironment();
  const { brokers } = environment;
  const namespace = `rebuilt${createRunName()}`;
  const home = mkdtempSync(join(tmpdir(), 'perennial-rebuild-'));
  const connection = { brokers, clientId: 'test', logger: createSilentLogger() };
  const onProgress = () => undefined;
  let log: Log;
  let redis: Redis;
  let platform: Platform;

  beforeAll(async () => {
    log = createKafkaLog(connection);
    redis = await connectRedis({ url: environment.redisUrl, logger: createSilentLogger(), name: 'test' });
    platform = await ensurePlatform({
      root: ROOT,
      home,
      namespace,
      partitions: PARTITIONS,
      endpoints: {
        kafkaBrokers: brokers.join(','),
        redisUrl: environment.redisUrl,
        postgresUrl: environment.postgresUrl,
      },
      environment: { PERENNIAL_ARCHIVE_WINDOW_SECONDS: '1' },
    });
  }, 120_000);

  afterAll(async () => {
    await platform?.stop();
    await redis?.quit();
    await log?.close();
    rmSync(home, { recursive: true, force: true });
  }, 60_000);

  it('gets every state back, the same bytes, and goes on', async () => {
    const file = join(home, 'history.csv');
    writeFileSync(file, toCsv(createHistory({ seed: SEED, users: 120, days: 200, rowsPerUserMax: 8 })));
    await backfillFile(platform, log, { file });
    await untilWorkedOff();
    const before = await readStates();
    const edges = await readEdges();
    expect(Object.keys(before['feature-store/0']?.states ?? {}).length).toBeGreaterThan(10);
    expect(edges.actionDecided.length).toBeGreaterThan(0);
    const force = { force: false, onProgress };
    expect(() => rebuildNamespace(platform, force)).toThrow('still running');
    await platform.stop();

    const archived = await readArchivedEnds();
    await redis.flushall();
    rmSync(platform.layout.snapshotDir, { recursive: true, force: true });
    await trimTopic(connection, toTopic(namespace, 'eventAccepted'), archived);
    for (const topic of ['featureUpdated', 'scoreComputed'] as const) {
      await trimTopic(connection, toTopic(namespace, topic), await readEnds(topic));
    }
    const records = [...archived.values()].reduce((sum, next) => sum + next, 0);
    expect(records).toBeGreaterThan(300);
    expect(await rebuildNamespace(platform, force)).toEqual({ partitions: PARTITIONS, records, left: 0 });
    expect(await rebuildNamespace(platform, force)).toEqual({ partitions: 0, records: 0, left: PARTITIONS });

    await platform.restart();
    await untilWorkedOff();
    expect(await readStates()).toEqual(before);
    const after = await readEdges();
    expect(after).toEqual(edges);
  }, 300_000);

  async function untilWorkedOff(): Promise<void> {
    const isDone = async () => {
      for (const { processor, topic } of CHAIN) {
        for (const [partition, high] of await readEnds(topic)) {
          const next = await redis.hget(toPartitionKeys(namespace, processor, partition).meta, 'next');
          if (Number(next) !== high) return false;
        }
      }
      return true;
    };
    // Checked for a while: records that are committed, but not published yet, are in no topic.
    const isQuiet = async () => {
      for (let look = 0; look < QUIET_LOOKS; look++) {
        if (!(await isDone())) return false;
        await new Promise((resolve) => setTimeout(resolve, QUIET_LOOK_MS));
      }
      return true;
    };
    await eventually(isQuiet, { withinMs: 120_000, what: 'all is processed' });
  }

  async function readEnds(topic: TopicName): Promise<Map<number, number>> {
    const offsets = await log.offsets(toTopic(namespace, topic));
    return new Map([...offsets].map(([partition, { high }]) => [partition, high]));
  }

  /** By partition: where the archive's files end, parsed from their names without the archive's own code. */
  async function readArchivedEnds(): Promise<Map<number, number>> {
    const ends = new Map<number, number>();
    for (const name of await createFolderBlobStore(platform.layout.archiveDir).list(`${namespace}/`)) {
      const [, partition, , last] = must(/\/p(\d+)-(\d+)-(\d+)\.parquet$/.exec(name), name).map(Number);
      ends.set(partition ?? 0, Math.max(ends.get(partition ?? 0) ?? 0, (last ?? 0) + 1));
    }
    return ends;
  }

  async function readStates() {
    const read = async (processor: string, partition: number) => {
      const keys = toPartitionKeys(namespace, processor, partition);
      const flat = await redis.hgetallBuffer(keys.states);
      const states = Object.fromEntries(Object.entries(flat).map(([key, bytes]) => [key, bytes.toString('hex')]));
      const timers = await redis.zrange(keys.timers, 0, '-1', 'WITHSCORES');
      const [logTime, inForce] = await redis.hmget(keys.meta, 'logTime', 'inForce');
      return { states, timers, logTime, inForce };
    };
    const all: Record<string, Awaited<ReturnType<typeof read>>> = {};
    for (const { processor } of CHAIN) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        all[`${processor}/${partition}`] = await read(processor, partition);
      }
    }
    return all;
  }

  /** The records that a consumer sees that drops repeats by id. */
  async function readEdges() {
    const read = async (topic: TopicName) => {
      const seen = new Map<string, string>();
      for (const { headers, value } of await readTopic(log, toTopic(namespace, topic))) {
        const id = must(headers.ce_id, 'ce_id');
        expect(seen.get(id) ?? String(value)).toBe(String(value));
        seen.set(id, String(value));
      }
      return [...seen].map(([id, value]) => `${id} ${value}`).sort();
    };
    return { stageChanged: await read('stageChanged'), actionDecided: await read('actionDecided') };
  }
});
