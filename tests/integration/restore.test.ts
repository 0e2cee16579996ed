import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { toPartition, toTopic } from '@perennial/contracts';
import { createKafkaLog, createTopics, type Log } from '@perennial/kafka';
import { createRandomToken } from '@perennial/kernel';
import { toPartitionKeys } from '@perennial/keyed-processor';
import { toSeen } from '@perennial/keyed-processor/testing';
import { connectRedis, type Redis } from '@perennial/redis';
import { createLogger } from '@perennial/telemetry';
import type { SummingProcessOptions } from '../fixtures/summing-process.js';
import { readTestEnvironment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { killChildren } from '../support/kill-children.js';
import { readTopic } from '../support/read-topic.js';

/*
 * FLUSHALL on real Redis while a real process works on real Kafka: it restores itself from its snapshots, and so does a
 * process that takes over from one killed at that moment. States and outputs equal those of an undisturbed run.
 */

const PARTITIONS = 3;
const PROFILES = 60;
const ROUNDS = 120;
const PROGRAM = join(import.meta.dirname, '../dist/fixtures/summing-process.js');

describe('a Redis that is emptied', () => {
  const { brokers, redisUrl } = readTestEnvironment();
  const run = `r${createRandomToken()
    .slice(0, 6)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '0')}`;
  const inputTopic = `test.${run}.in`;
  const folder = mkdtempSync(join(tmpdir(), 'restore-'));
  const logger = createLogger({ service: 'test', namespace: 'test', instanceId: 'test', level: 'error' });
  const children = new Set<ChildProcess>();
  let log: Log;
  let redis: Redis;

  beforeAll(async () => {
    log = createKafkaLog({ brokers, clientId: 'test', logger });
    redis = await connectRedis({ url: redisUrl, logger, name: 'test' });
    await makeTopic(inputTopic);
  }, 60_000);

  afterAll(async () => {
    await killChildren(children);
    rmSync(folder, { recursive: true, force: true });
    await redis?.quit();
    await log?.close();
  });

  it('is filled again by itself, twice, and all is as if nothing had happened', async () => {
    const disturbed = `${run}d`;
    const child = await start(disturbed);
    await feed(0, ROUNDS / 3);
    await untilDone(disturbed);
    await untilSnapshot(disturbed);
    await redis.flushall();
    await feed(ROUNDS / 3, (2 * ROUNDS) / 3);
    await untilDone(disturbed);

    await untilSnapshot(disturbed);
    await feed((2 * ROUNDS) / 3, ROUNDS);
    child.kill('SIGKILL');
    await redis.flushall();
    const successor = await start(disturbed);
    await untilDone(disturbed);
    await stop(successor);

    const calm = `${run}c`;
    const undisturbed = await start(calm);
    await untilDone(calm);
    await stop(undisturbed);
    expect(await readResult(disturbed)).toEqual(await readResult(calm));
  }, 180_000);

  it('is not taken for a new one when the snapshots are gone too', async () => {
    const namespace = `${run}g`;
    const child = await start(namespace);
    await untilDone(namespace);
    child.kill('SIGKILL');
    rmSync(join(folder, namespace), { recursive: true });
    await redis.flushall();
    const successor = await start(namespace, 'pipe');
    let output = '';
    successor.stdout?.on('data', (data) => {
      output += data;
    });
    await eventually(async () => output.includes('there is no snapshot'), { withinMs: 60_000, what: 'it says so' });
    expect(output).toContain('Check where snapshots are kept');
    expect(await redis.hget(toPartitionKeys(namespace, 'summing', 0).meta, 'next')).toBeNull();
    await stop(successor);
  }, 120_000);

  async function start(namespace: string, stdout: 'ignore' | 'pipe' = 'ignore'): Promise<ChildProcess> {
    const outputTopic = `test.${namespace}.out`;
    await makeTopic(outputTopic);
    await makeTopic(toTopic(namespace, 'deadLettered'));
    const options: SummingProcessOptions = {
      namespace,
      brokers,
      redisUrl,
      inputTopic,
      outputTopic,
      snapshotFolder: folder,
    };
    const child = spawn(process.execPath, [PROGRAM, JSON.stringify(options)], { stdio: ['ignore', stdout, 'inherit'] });
    children.add(child);
    child.once('exit', () => children.delete(child));
    return child;
  }

  async function stop(child: ChildProcess): Promise<void> {
    const stopped = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
    child.kill('SIGTERM');
    expect(await stopped).toBe(0);
  }

  async function untilDone(namespace: string): Promise<void> {
    const isDone = async () => {
      for (const [partition, { high }] of await log.offsets(inputTopic)) {
        const { meta } = toPartitionKeys(namespace, 'summing', partition);
        const [next, restoring] = await redis.hmget(meta, 'next', 'restoring');
        if (Number(next) !== high || (restoring ?? '') !== '') return false;
      }
      return true;
    };
    await eventually(isDone, { withinMs: 80_000, what: `${namespace} processes its input` });
  }

  /** Waits until each partition has a snapshot with states. */
  async function untilSnapshot(namespace: string): Promise<void> {
    const hasOne = (partition: number) => {
      try {
        return readdirSync(join(folder, namespace, 'summing', String(partition), 'manifests')).some(
          (id) => !id.startsWith('0000000000000000.'),
        );
      } catch {
        return false;
      }
    };
    await eventually(async () => [0, 1, 2].every(hasOne), { withinMs: 30_000, what: `${namespace} has snapshots` });
  }

  async function readResult(namespace: string) {
    const keys = Array.from({ length: PARTITIONS }, (_, partition) => toPartitionKeys(namespace, 'summing', partition));
    const states = await Promise.all(keys.map(({ states: key }) => redis.hgetall(key)));
    const timers = await Promise.all(keys.map(({ timers: key }) => redis.zrange(key, 0, '-1', 'WITHSCORES')));
    const seen = toSeen((await readTopic(log, `test.${namespace}.out`)).map((record) => ({ ...record, topic: 'any' })));
    return { states, timers, seen };
  }

  async function makeTopic(name: string): Promise<void> {
    await createTopics({ brokers, clientId: 'test', logger }, [
      { name, partitions: PARTITIONS, retentionMs: 3_600_000, cleanup: 'delete' },
    ]);
  }

  async function feed(from: number, to: number): Promise<void> {
    const producer = await log.createProducer();
    for (let round = from; round < to; round++) {
      const values = Array.from({ length: PROFILES }, (_, i) => {
        const key = `profile-${i}`;
        const value = (round + i) % 7 === 0 ? 'remove' : round;
        return { key: Buffer.from(key), partition: toPartition(key, PARTITIONS), body: { value } };
      });
      const ticks = Array.from({ length: PARTITIONS }, (_, partition) => ({
        key: null,
        partition,
        body: { tick: (round + 1) * 7 },
      }));
      await producer.send(
        [...values, ...ticks].map(({ body, ...record }) => ({
          ...record,
          topic: inputTopic,
          value: Buffer.from(JSON.stringify(body)),
          headers: {},
        })),
      );
    }
    await producer.close();
  }
});
