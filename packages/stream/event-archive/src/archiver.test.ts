import { afterEach, describe, expect, it } from '@jest/globals';
import type { BlobStore } from '@perennial/blob-store';
import { MemoryBlobStore } from '@perennial/blob-store/testing';
import { toConsumerGroup } from '@perennial/contracts';
import type { LogConsumer, LogRecord } from '@perennial/kafka';
import { createMemoryLog, type MemoryLog } from '@perennial/kafka/testing';
import { type Clock, createSeededRandom, must, systemClock } from '@perennial/kernel';
import { createLogger, createMetrics } from '@perennial/telemetry';
import { createRecords, encodeRecords, NAMESPACE, TOPIC } from './archive-test-kit.js';
import { ARCHIVE_GROUP, type Archiver, startArchiver } from './archiver.js';
import { EventArchive } from './event-archive.js';
import type { ArchiveLimits } from './limits.js';

const SEED = Number(process.env.PERENNIAL_TEST_SEED ?? Date.now() % 2 ** 31);
const PARTITIONS = 2;
const RECORDS = 70;
const GROUP = toConsumerGroup(NAMESPACE, ARCHIVE_GROUP);
const LIMITS: Partial<ArchiveLimits> = {
  heldBytesMax: 6_000,
  fileBytesMin: 1,
  rowGroupRows: 10,
  observeIntervalMs: 2,
  retryInitialMs: 1,
  retryMaxMs: 2,
  // A few records per fetch, so that a kill interrupts partly completed work.
  fetchBytesPerPartitionMax: 700,
};

/** A log with the records in it, a store, and archivers over both that can be killed. */
class World {
  readonly blobs = new MemoryBlobStore();
  readonly log: MemoryLog;
  readonly records: LogRecord[];
  readonly metrics = createMetrics({ service: 'test', namespace: NAMESPACE, processMetrics: false });
  /** Lets killed processes continue, so that they can be stopped. */
  readonly wakes: Array<() => void> = [];
  nowMs = 0;
  readonly #clock: Clock = {
    now: () => this.nowMs,
    steadyMs: () => this.nowMs,
    wait: (ms, signal) => systemClock.wait(Math.min(ms, 3), signal),
  };
  readonly #running: Archiver[] = [];

  constructor(seed: number) {
    this.log = createMemoryLog({ partitions: PARTITIONS, now: () => this.nowMs });
    this.log.createTopic(TOPIC);
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) =>
      createRecords(seed + partition, RECORDS, partition),
    );
    this.records = partitions.flat().sort((a, b) => a.timestampMs - b.timestampMs);
  }

  append(from: number, to: number): void {
    for (const record of this.records.slice(from, to)) {
      this.nowMs = record.timestampMs;
      this.log.append(record);
    }
  }

  appendAll(): void {
    this.append(0, this.records.length);
  }

  async start(blobs: BlobStore = this.blobs, onJoin?: (consumer: LogConsumer) => void): Promise<Archiver> {
    const log: MemoryLog = {
      ...this.log,
      startConsumer: async (...args) => {
        const consumer = await this.log.startConsumer(...args);
        onJoin?.(consumer);
        return consumer;
      },
    };
    const archiver = await startArchiver({
      archive: new EventArchive(blobs, NAMESPACE),
      namespace: NAMESPACE,
      log,
      logger: createLogger({ service: 'test', namespace: NAMESPACE, instanceId: 'test', level: 'silent' }),
      metrics: this.metrics,
      limits: LIMITS,
      clock: this.#clock,
      random: () => 0.5,
    });
    this.#running.push(archiver);
    return archiver;
  }

  /** Advances the clock so that every window has ended and all of the log is archived. */
  async untilAllArchived(): Promise<void> {
    this.nowMs += 86_400_000;
    await this.until(async () => {
      const logs = await new EventArchive(this.blobs, NAMESPACE).list();
      const ends = await this.log.offsets(TOPIC);
      return [...ends].every(([partition, { high }]) => (logs.get(partition)?.next ?? 0) === high);
    });
  }

  async until(isSo: () => Promise<boolean> | boolean): Promise<void> {
    for (let tries = 0; tries < 2_000; tries++) {
      if (await isSo()) return;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    throw new Error('it did not come to that');
  }

  /** The archived records of a partition. */
  async readBack(partition: number, end = Number.POSITIVE_INFINITY): Promise<LogRecord[]> {
    const archive = new EventArchive(this.blobs, NAMESPACE);
    const archived = must((await archive.list()).get(partition), 'an archived log');
    const records: LogRecord[] = [];
    for await (const some of archive.readLog(archived, end)) records.push(...some);
    return records;
  }

  async stop(): Promise<void> {
    for (const wake of this.wakes) wake();
    await Promise.all(this.#running.map((archiver) => archiver.stop()));
  }
}

describe(`the archiver (seed ${SEED})`, () => {
  const worlds: World[] = [];
  const create = (seed = SEED) => {
    const world = new World(seed);
    worlds.push(world);
    return world;
  };

  afterEach(async () => {
    await Promise.all(worlds.splice(0).map((world) => world.stop()));
  });

  async function expectAllOnce(world: World): Promise<void> {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      expect(await world.readBack(partition)).toEqual(world.log.records(TOPIC, partition));
    }
    const logs = await new EventArchive(world.blobs, NAMESPACE).list();
    const files = [...logs.values()].flatMap((archived) => archived.files);
    expect(files.reduce((sum, { first, last }) => sum + last - first + 1, 0)).toBe(world.records.length);
    expect(files).toHaveLength(world.blobs.objects.size);
  }

  async function archiveCalmly(): Promise<World> {
    const world = create();
    world.appendAll();
    await world.start();
    await world.untilAllArchived();
    return world;
  }

  it('archives every record once, in files that hold what their names say', async () => {
    const world = await archiveCalmly();
    await expectAllOnce(world);
    expect(world.blobs.objects.size).toBeGreaterThan(10);
    expect([...new Set([...world.blobs.objects.keys()].map((name) => name.split('/')[2]))].sort()).toEqual([
      'day=2026-11-23',
      'day=2026-11-24',
    ]);
  });

  it('makes the same files however the records come', async () => {
    const calm = await archiveCalmly();
    const world = create();
    await world.start();
    for (let from = 0; from < world.records.length; from += 7) {
      world.append(from, from + 7);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await world.untilAllArchived();
    expect(world.blobs.objects).toEqual(calm.blobs.objects);
  });

  it.each(['before', 'after'] as const)(
    'goes on after a kill %s each operation, and makes the same files',
    async (when) => {
      const calm = await archiveCalmly();
      const operations = calm.blobs.objects.size + 1;
      for (let at = 0; at < operations; at += 4) {
        const world = create();
        world.appendAll();
        let joined: LogConsumer | undefined;
        world.nowMs += 86_400_000;
        const mortal = createMortal(world.blobs, { at, when });
        world.wakes.push(mortal.wake);
        await world.start(mortal.blobs, (consumer) => {
          joined = consumer;
        });
        await mortal.dead;
        await world.log.loseMember(GROUP, TOPIC, joined);
        await world.start();
        await world.untilAllArchived();
        expect(world.blobs.objects).toEqual(calm.blobs.objects);
        await world.stop();
      }
    },
    60_000,
  );

  it('is not harmed by one that does not know yet that it was replaced', async () => {
    const calm = await archiveCalmly();
    const world = create();
    const { blobs: paused, dead, wake } = createMortal(world.blobs, { at: 5, when: 'before' });
    world.wakes.push(wake);
    let joined: LogConsumer | undefined;
    world.append(0, 90);
    await world.start(paused, (consumer) => {
      joined = consumer;
    });
    await dead;
    await world.log.loseMember(GROUP, TOPIC, joined);
    world.append(90, world.records.length);
    await world.start();
    await world.until(() => world.blobs.objects.size > 8);
    wake();
    await world.untilAllArchived();
    await expectAllOnce(world);
    expect(world.blobs.objects).toEqual(calm.blobs.objects);
  });

  it('tries again while its store is away', async () => {
    const calm = await archiveCalmly();
    const world = create();
    world.appendAll();
    let calls = 0;
    world.blobs.onCall = () => {
      if (calls++ % 3 !== 2) throw new Error('away');
    };
    await world.start();
    await world.until(() => calls > 20);
    world.blobs.onCall = () => undefined;
    await world.untilAllArchived();
    expect(world.blobs.objects).toEqual(calm.blobs.objects);
  });

  it('tells how old it is while its store is away', async () => {
    const world = create();
    world.appendAll();
    world.blobs.onCall = (operation) => {
      if (operation === 'put') throw new Error('away');
    };
    await world.start();
    world.nowMs += 3_600_000;
    await world.until(async () => {
      const text = await world.metrics.registry.metrics();
      const ages = [...text.matchAll(/archive_age_seconds\{.*\} (\d+)/g)].map(([, age]) => Number(age));
      return ages.length === PARTITIONS && ages.every((age) => age >= 3_600);
    });
    world.blobs.onCall = () => undefined;
  });

  it('gives each record back once where files overlap, those below an offset only', async () => {
    const world = create();
    world.appendAll();
    const own = world.log.records(TOPIC, 1);
    const archive = new EventArchive(world.blobs, NAMESPACE);
    for (const [from, to] of [
      [0, 10],
      [5, 20],
      [0, 12],
      [20, RECORDS],
    ] as const) {
      const some = own.slice(from, to);
      const appendTimeMs = must(some[0], 'a record').timestampMs;
      await archive.write(
        { partition: 1, first: from, last: to - 1, appendTimeMs },
        encodeRecords(some, { rowGroupRows: 4 }),
      );
    }
    expect(await world.readBack(1)).toEqual(own);
    expect(await world.readBack(1, 17)).toEqual(own.slice(0, 17));
  });

  it('archives a partition that has gone quiet to its end, but not before its window is over', async () => {
    const world = create();
    world.append(0, 2);
    await world.start();
    const isTaken = async () => (await world.metrics.registry.metrics()).includes('archive_lag_records{partition');
    await world.until(isTaken);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(world.blobs.objects.size).toBe(0);
    await world.untilAllArchived();
    expect(world.blobs.objects.size).toBeGreaterThan(0);
  });

  it('tells of records that the log lost before they were archived, and goes on behind them', async () => {
    const world = create();
    world.appendAll();
    await world.start();
    await world.untilAllArchived();
    await world.stop();
    const [{ high = 0 } = {}] = [(await world.log.offsets(TOPIC)).get(0)];
    const some = must(
      world.records.find(({ partition }) => partition === 0),
      'a record',
    );
    for (let i = 0; i < 10; i++) world.log.append(some);
    world.log.trim(TOPIC, 0, high + 4);
    await world.start();
    await world.untilAllArchived();
    const archived = (await new EventArchive(world.blobs, NAMESPACE).list()).get(0);
    expect(archived?.gaps).toEqual([{ from: high, to: high + 3 }]);
    expect(await world.metrics.registry.metrics()).toMatch(/archive_records_lost_total\{.*\} 4\n/);
  });

  it('goes on behind offsets that have no record, wherever a fetch or a file meets them', async () => {
    const random = createSeededRandom(SEED);
    const world = create();
    const ends = async () => [...(await world.log.offsets(TOPIC)).values()].map(({ high }) => high);
    let offset = [0, 0];
    const expected: LogRecord[][] = [[], []];
    // Ends of transactions, before the first record, between records, several in a row, and last.
    const appendControls = (partition: number) => {
      for (let left = random() < 0.3 ? 1 + Math.floor(random() * 3) : 0; left > 0; left--) {
        world.log.appendControl(TOPIC, partition);
        offset = offset.map((next, i) => (i === partition ? next + 1 : next));
      }
    };
    for (const [i, record] of world.records.entries()) {
      const { partition } = record;
      appendControls(partition);
      world.nowMs = record.timestampMs;
      world.log.append(record);
      expected[partition]?.push({ ...record, offset: offset[partition] ?? 0 });
      offset = offset.map((next, other) => (other === partition ? next + 1 : next));
      // Archivers that begin anywhere: at a record, or at an offset without one.
      if (i % 30 === 29) await (await world.start()).stop();
    }
    for (const partition of [0, 1]) world.log.appendControl(TOPIC, partition);
    const archiver = await world.start();
    world.nowMs += 86_400_000;
    await world.until(async () => {
      const logs = await new EventArchive(world.blobs, NAMESPACE).list();
      return expected.every((records, partition) => logs.get(partition)?.next === (records.at(-1)?.offset ?? 0) + 1);
    });
    const logs = await new EventArchive(world.blobs, NAMESPACE).list();
    for (const [partition, records] of expected.entries()) {
      expect(logs.get(partition)).toMatchObject({ first: 0, gaps: [] });
      expect(await world.readBack(partition)).toEqual(records);
    }
    await world.until(
      async () => (await world.metrics.registry.metrics()).match(/archive_lag_records\{.*\} 0\n/g)?.length === 2,
    );
    const committed = await world.log.groupOffsets(GROUP, TOPIC);
    expect([0, 1].map((partition) => committed.get(partition))).toEqual(await ends());
    // Nothing is left that could stand still.
    world.nowMs += 86_400_000;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(archiver.problems()).toEqual([]);
    expect(await world.metrics.registry.metrics()).not.toMatch(/archive_records_lost_total\{.*\} [1-9]/);
  });

  it('does not go on where the log is another one', async () => {
    const world = await archiveCalmly();
    const other = create();
    for (const [name, bytes] of world.blobs.objects) other.blobs.objects.set(name, bytes);
    other.append(0, 20);
    await other.start();
    await new Promise((resolve) => setTimeout(resolve, 30));
    other.nowMs += 86_400_000;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(other.blobs.objects).toEqual(world.blobs.objects);
  });
});

/** A store for a process that hangs in a call, before or after operation `at` took effect; `wake` lets it continue. */
function createMortal(store: BlobStore, { at, when }: { at: number; when: 'before' | 'after' }) {
  let calls = 0;
  let die: () => void = () => undefined;
  let wake: () => void = () => undefined;
  const dead = new Promise<void>((resolve) => {
    die = resolve;
  });
  const asleep = new Promise<void>((resolve) => {
    wake = resolve;
  });
  async function run<T>(operation: () => Promise<T>): Promise<T> {
    const number = calls++;
    if (number > at) await asleep;
    if (number !== at) return operation();
    if (when === 'before') {
      die();
      await asleep;
      return operation();
    }
    const result = await operation();
    die();
    await asleep;
    return result;
  }
  const blobs: BlobStore = {
    put: (key, bytes) => run(() => store.put(key, bytes)),
    get: (key) => run(() => store.get(key)),
    list: (prefix) => run(() => store.list(prefix)),
    delete: (key) => run(() => store.delete(key)),
  };
  return { blobs, dead, wake };
}
