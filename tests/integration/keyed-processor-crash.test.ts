import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { toPartition, toTopic } from '@perennial/contracts';
import { createKafkaLog, createTopics, type Log } from '@perennial/kafka';
import { createRandomToken, must } from '@perennial/kernel';
import { toPartitionKeys } from '@perennial/keyed-processor';
import { toSeen } from '@perennial/keyed-processor/testing';
import { connectRedis, type Redis } from '@perennial/redis';
import { createLogger } from '@perennial/telemetry';
import type { CrashPoint, SummingProcessOptions } from '../fixtures/summing-process.js';
import { readTestEnvironment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { killChildren } from '../support/kill-children.js';
import { readTopic } from '../support/read-topic.js';

/*
 * `kill -9` of a real process at each point of a batch, on real Kafka and Redis: the process that takes over must leave
 * the same states, and the same records for a reader who drops repeats, as an undisturbed run.
 */

const PARTITIONS = 3;
const PROFILES = 40;
const ROUNDS = 30;
const PROGRAM = join(import.meta.dirname, '../dist/fixtures/summing-process.js');

const POINTS: CrashPoint[] = ['before-commit', 'after-commit', 'mid-publish', 'after-publish'];
const CRASHES = POINTS.flatMap((point) => [
  { point, nth: 1 },
  { point, nth: 7 },
]);

describe('a processor killed at any point', () => {
  const { brokers, redisUrl } = readTestEnvironment();
  const run = createRandomToken()
    .slice(0, 6)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '0');
  const inputTopic = `test.${run}.in`;
  const logger = createLogger({ service: 'test', namespace: 'test', instanceId: 'test', level: 'error' });
  const children = new Set<ChildProcess>();
  let log: Log;
  let redis: Redis;
  let calm: Awaited<ReturnType<typeof runProcess>>;
  const disturbed = new Map<(typeof CRASHES)[number], ReturnType<typeof runProcess>>();

  beforeAll(async () => {
    log = createKafkaLog({ brokers, clientId: 'test', logger });
    redis = await connectRedis({ url: redisUrl, logger, name: 'test' });
    await makeTopic(inputTopic);
    const producer = await log.createProducer();
    await producer.send(toInput());
    await producer.close();
    calm = await runProcess(`calm${run}`);
    // In parallel: each run waits some seconds for the session of the killed process to end.
    for (const crash of CRASHES)
      disturbed.set(crash, runProcess(`k${crash.point.replace('-', '')}${crash.nth}${run}`, crash));
    await Promise.allSettled(disturbed.values());
  }, 120_000);

  afterAll(async () => {
    await killChildren(children);
    await redis?.quit();
    await log?.close();
  });

  it('the undisturbed run did all there was to do', () => {
    const states = calm.states.flatMap((partition) => Object.values(partition).map((state) => JSON.parse(state)));
    expect(states).toHaveLength(PROFILES);
    // The sum over all profiles of 0 + 1 + ... + ROUNDS - 1, except the poison that every tenth profile sends in round 3.
    expect(states.reduce((sum, { sum: one }) => sum + one, 0)).toBe(
      PROFILES * ((ROUNDS * (ROUNDS - 1)) / 2) - (PROFILES / 10) * 3,
    );
    expect(calm.dead).toHaveLength(PROFILES / 10);
  });

  it.each(CRASHES)('killed at $point, time $nth: as if nothing had happened', async (crash) => {
    expect(await must(disturbed.get(crash), 'run')).toEqual(calm);
  });

  /** Runs to the end of the input; with a crash, one process until it kills itself, then another. */
  async function runProcess(namespace: string, crash?: SummingProcessOptions['crash']) {
    const outputTopic = `test.${namespace}.out`;
    const deadTopic = toTopic(namespace, 'deadLettered');
    await makeTopic(outputTopic);
    await makeTopic(deadTopic);
    const options: SummingProcessOptions = { namespace, brokers, redisUrl, inputTopic, outputTopic };
    if (crash !== undefined) {
      const signal = await new Promise((resolve) =>
        start({ ...options, crash }).once('exit', (_code, by) => resolve(by)),
      );
      expect(signal).toBe('SIGKILL');
    }
    const child = start(options);
    await eventually(() => isDone(namespace), { withinMs: 80_000, what: `${namespace} processes its input` });
    const stopped = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
    child.kill('SIGTERM');
    expect(await stopped).toBe(0);
    const seen = toSeenContents(await readTopic(log, outputTopic));
    return { states: await readStates(namespace), seen, dead: toSeenContents(await readTopic(log, deadTopic)) };
  }

  function toSeenContents(records: Awaited<ReturnType<typeof readTopic>>): string[] {
    return toSeen(records.map((record) => ({ ...record, topic: 'any' })));
  }

  function start(options: SummingProcessOptions): ChildProcess {
    const child = spawn(process.execPath, [PROGRAM, JSON.stringify(options)], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    children.add(child);
    child.once('exit', () => children.delete(child));
    return child;
  }

  async function isDone(namespace: string): Promise<boolean> {
    const ends = await log.offsets(inputTopic);
    for (const [partition, { high }] of ends) {
      const { meta } = toPartitionKeys(namespace, 'summing', partition);
      if (Number(await redis.hget(meta, 'next')) !== high) return false;
    }
    return true;
  }

  async function readStates(namespace: string): Promise<Array<Record<string, string>>> {
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) =>
      toPartitionKeys(namespace, 'summing', partition),
    );
    const states = await Promise.all(partitions.map(({ states: key }) => redis.hgetall(key)));
    return states.map((state) => Object.fromEntries(Object.entries(state).sort()));
  }

  async function makeTopic(name: string): Promise<void> {
    await createTopics({ brokers, clientId: 'test', logger }, [
      { name, partitions: PARTITIONS, retentionMs: 3_600_000, cleanup: 'delete' },
    ]);
  }

  function toInput() {
    const records = [];
    for (let round = 0; round < ROUNDS; round++) {
      for (let i = 0; i < PROFILES; i++) {
        const key = `profile-${i}`;
        const value = round === 3 && i % 10 === 0 ? -1 : round;
        records.push({ key, partition: toPartition(key, PARTITIONS), body: { value } });
      }
      for (let partition = 0; partition < PARTITIONS; partition++) {
        records.push({ key: null, partition, body: { tick: (round + 1) * 7 } });
      }
    }
    return records.map(({ key, partition, body }) => ({
      topic: inputTopic,
      partition,
      key: key === null ? null : Buffer.from(key),
      value: Buffer.from(JSON.stringify(body)),
      headers: {},
    }));
  }
});
