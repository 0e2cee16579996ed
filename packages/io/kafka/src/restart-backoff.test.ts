import { describe, expect, it } from '@jest/globals';
import type { Clock } from '@perennial/kernel';
import { createSilentLogger } from '@perennial/telemetry';
import type { Kafka } from 'kafkajs';
import { KafkajsConsumer } from './kafkajs-consumer.js';

/** Half of the interval at which kafkajs sends heartbeats with a session of six seconds. */
const BEAT_MS = 250;

const OPTIONS = {
  ...{ topic: 't', groupId: 'g', fromBeginning: true, sessionTimeoutMs: 6_000 },
  ...{ fetchBytesPerPartitionMax: 1_000, fetchWaitMaxMs: 100, groupInstanceId: undefined },
  logger: createSilentLogger(),
};
const nothing = async () => undefined;
const HANDLERS = { onAssigned: nothing, onRevoked: nothing, onRecords: nothing };

const untilAborted = (signal: AbortSignal | undefined) =>
  new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));

/** A client whose consumers do not connect. */
function createFailingKafka(fail: () => Promise<void>): Kafka {
  const consumer = {
    events: { GROUP_JOIN: 'join', REBALANCING: 'rebalancing', CRASH: 'crash' },
    on: () => () => undefined,
    connect: async () => {
      await fail();
      throw new Error('the broker is away');
    },
    disconnect: async () => undefined,
  };
  return { consumer: () => consumer } as unknown as Kafka;
}

/** The waits before each restart of a consumer whose sessions last so long. */
async function readWaits(lasts: readonly number[], random: () => number): Promise<number[]> {
  const waits: number[] = [];
  let now = 0;
  let sessions = 0;
  let done: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => {
    done = resolve;
  });
  const clock: Clock = {
    now: () => now,
    steadyMs: () => now,
    wait: async (ms, signal) => {
      if (ms === BEAT_MS) return untilAborted(signal);
      waits.push(ms);
      now += ms;
      if (waits.length < lasts.length) return;
      done();
      await untilAborted(signal);
    },
  };
  const kafka = createFailingKafka(async () => {
    now += lasts[sessions++] ?? 0;
  });
  const consumer = new KafkajsConsumer(kafka, { ...OPTIONS, clock, random }, HANDLERS);
  consumer.start();
  await finished;
  await consumer.stop();
  return waits;
}

describe('the restarts of a consumer', () => {
  it('wait longer from one to the next, up to 5 s, by the clock and the chance that it was given', async () => {
    expect(await readWaits([1, 1, 1, 1, 1, 1, 1], () => 1)).toEqual([200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
    expect(await readWaits([1, 1, 1], () => 0)).toEqual([100, 200, 400]);
  });

  it('begin anew after a session that lasted', async () => {
    expect(await readWaits([1, 1, 60_001, 1], () => 1)).toEqual([200, 400, 200, 400]);
  });
});

describe('the heartbeats of a consumer', () => {
  it('come by the clock that it was given, and end with it', async () => {
    const waits: Array<{ ms: number; signal: AbortSignal | undefined }> = [];
    const clock: Clock = {
      now: () => 0,
      steadyMs: () => 0,
      wait: (ms, signal) => {
        waits.push({ ms, signal });
        return untilAborted(signal);
      },
    };
    let connect: () => void = () => undefined;
    const kafka = createFailingKafka(() => new Promise((resolve) => (connect = resolve)));
    const consumer = new KafkajsConsumer(kafka, { ...OPTIONS, clock, random: () => 1 }, HANDLERS);
    consumer.start();
    expect(waits.map(({ ms }) => ms)).toEqual([BEAT_MS]);
    const stopped = consumer.stop();
    connect();
    await stopped;
    expect(waits[0]?.signal?.aborted).toBe(true);
  });
});
