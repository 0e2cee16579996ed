import { describe, expect, it, jest } from '@jest/globals';
import { HEADERS, parsePosition, toConsumerGroup } from '@perennial/contracts';
import type { LogRecord } from '@perennial/kafka';
import { createMemoryLog, type MemoryLog } from '@perennial/kafka/testing';
import { createSeededRandom, must } from '@perennial/kernel';
import { createRebuildStage, type PartitionStore, type RebuildStage, startProcessor } from '@perennial/keyed-processor';
import { createSumming, MemoryPartitionStore } from '@perennial/keyed-processor/testing';
import { createMetrics, createSilentLogger } from '@perennial/telemetry';
import { type ArchivedRange, type RebuildArchive, rebuildChain } from './rebuild-chain.js';

// For a machine that is busy with other tests.
jest.setTimeout(60_000);

const NAMESPACE = 'live';
const PARTITIONS = 2;
const RECORDS = 300;
const SEED = Number(process.env.PERENNIAL_TEST_SEED ?? Date.now() % 2 ** 31);

const FIRST = { ...createSumming({ inputTopic: 'in', outputTopic: 'mid' }), name: 'first' };
/** Reads the output of the first processor. */
const SECOND: typeof FIRST = {
  ...createSumming({ inputTopic: 'mid', outputTopic: 'out', sources: [{ processor: 'first', topic: 'in' }] }),
  name: 'second',
  decode(record) {
    const body = JSON.parse(String(record.value)) as { kind?: string; timeMs?: number; sum?: number };
    if (body.kind === 'tick') return { kind: 'tick', timeMs: body.timeMs ?? 0 };
    return { kind: 'record', key: String(record.key), input: body.sum ?? 0 };
  },
};
const DEFINITIONS = [FIRST, SECOND];

/** Stores of both processors, which can be emptied, and which can end a process at one of their commits. */
class Stores {
  #stores = new Map<string, MemoryPartitionStore>();
  commitsLeft = Number.POSITIVE_INFINITY;

  open(processor: string, partition: number): PartitionStore {
    const name = `${processor}/${partition}`;
    const store = this.#stores.get(name) ?? new MemoryPartitionStore();
    this.#stores.set(name, store);
    return {
      acquire: (owner) => store.acquire(owner),
      load: (...args) => store.load(...args),
      scan: (...args) => store.scan(...args),
      peek: (...args) => store.peek(...args),
      wipe: (owner) => store.wipe(owner),
      commit: async (...args) => {
        if (this.commitsLeft-- <= 0) throw new Error('the process was killed');
        await store.commit(...args);
      },
    };
  }

  empty(): void {
    this.#stores = new Map();
  }

  next(processor: string, partition: number): number {
    return this.#stores.get(`${processor}/${partition}`)?.contents().meta?.next ?? 0;
  }

  /** States, timers and log time of every partition. */
  read() {
    const sorted = [...this.#stores].sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(
      sorted.map(([name, store]) => {
        const { meta, states, timers } = store.contents();
        return [name, { states, timers, logTimeMs: meta?.logTimeMs, restoring: meta?.restoring }];
      }),
    );
  }
}

class World {
  readonly log: MemoryLog = createMemoryLog({ partitions: PARTITIONS, now: () => 0 });
  readonly stores = new Stores();
  readonly #random = createSeededRandom(SEED);
  /** Contents of the archive. */
  ranges = new Map<number, ArchivedRange>();
  /** The log before it was trimmed. */
  #archived: readonly LogRecord[] = [];

  feed(): void {
    for (const topic of ['in', 'mid', 'out']) this.log.createTopic(topic);
    for (let i = 0; i < RECORDS; i++) {
      const partition = Math.floor(this.#random() * PARTITIONS);
      const isTick = this.#random() < 0.2;
      const value = this.#random() < 0.1 ? 'remove' : Math.floor(this.#random() * 50) - 2;
      const body = isTick ? { tick: i } : { value };
      const key = isTick ? null : Buffer.from(`k${Math.floor(this.#random() * 8)}`);
      this.log.append({ topic: 'in', partition, key, value: Buffer.from(JSON.stringify(body)), headers: {} });
    }
    this.#archived = [...this.log.records('in')];
    this.archive((next) => ({ first: 0, next, gaps: [] }));
  }

  archive(toRange: (records: number) => ArchivedRange | undefined): void {
    this.ranges = new Map();
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const range = toRange(this.log.records('in', partition).length);
      if (range !== undefined) this.ranges.set(partition, range);
    }
  }

  /** Normal operation until everything is processed and committed to the group. */
  async work(definitions: ReadonlyArray<typeof FIRST> = DEFINITIONS): Promise<void> {
    const processors = await Promise.all(definitions.map((definition) => this.#start(definition)));
    for (const { name, inputTopic } of definitions) {
      await until(async () => {
        const committed = await this.log.groupOffsets(toConsumerGroup(NAMESPACE, name), inputTopic);
        return [...(await this.log.offsets(inputTopic))].every(
          ([partition, { high }]) =>
            (committed.get(partition) ?? 0) === high && this.stores.next(name, partition) === high,
        );
      });
    }
    await Promise.all(processors.map((processor) => processor.stop()));
  }

  rebuild(force = false) {
    const records = this.#archived;
    const archive: RebuildArchive = {
      list: async () => new Map([...this.ranges].map(([partition, range]) => [partition, { ...range, partition }])),
      async *readLog(range, end) {
        const own = records.filter(({ partition }) => 'partition' in range && partition === range.partition);
        for (let from = 0; from < end; from += 17) yield own.slice(from, Math.min(end, from + 17));
      },
    };
    const [first, second] = DEFINITIONS.map((definition) => this.#toStage(definition));
    const stages: [RebuildStage, RebuildStage] = [must(first, 'first'), must(second, 'second')];
    return rebuildChain({
      namespace: NAMESPACE,
      log: this.log,
      archive,
      stages,
      force,
      onProgress: () => undefined,
    });
  }

  #start(definition: typeof FIRST) {
    return startProcessor({
      ...this.#common(definition),
      log: this.log,
      limits: { groupCommitIntervalMs: 2, retryInitialMs: 1, batchItemsMax: 7 },
      linger: {},
    });
  }

  #toStage(definition: typeof FIRST): RebuildStage {
    return createRebuildStage({ ...this.#common(definition), partitions: PARTITIONS });
  }

  #common(definition: typeof FIRST) {
    return {
      definition,
      namespace: NAMESPACE,
      // The stores replace it in this test.
      redis: undefined as never,
      logger: createSilentLogger(),
      metrics: createMetrics({ service: 'test', namespace: NAMESPACE, processMetrics: false }),
      openStore: (partition: number) => this.stores.open(definition.name, partition),
    };
  }
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 3_000; tries++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error('it did not come to that');
}

describe(`a rebuild (seed ${SEED})`, () => {
  async function createWorked() {
    const world = new World();
    world.feed();
    await world.work();
    return { world, before: world.stores.read() };
  }

  /** The second processor's group is at `offset`, as when it was ended in the middle of its work. */
  async function commitBack(world: World, offset: number): Promise<void> {
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
    const group = {
      groupId: toConsumerGroup(NAMESPACE, SECOND.name),
      topic: SECOND.inputTopic,
      sessionTimeoutMs: 10_000,
      fetchBytesPerPartitionMax: 1,
      fetchWaitMaxMs: 1,
      fromBeginning: true,
    };
    let assigned: () => void = () => undefined;
    const owned = new Promise<void>((resolve) => {
      assigned = resolve;
    });
    const consumer = await world.log.startConsumer(group, {
      onAssigned: () => assigned(),
      onRevoked: () => undefined,
      onRecords: async () => undefined,
    });
    await owned;
    await consumer.commit(new Map(partitions.map((partition) => [partition, offset])));
    await consumer.stop();
  }

  function trim(world: World): void {
    for (const topic of ['in', 'mid']) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        world.log.trim(topic, partition, world.log.records(topic, partition).length);
      }
    }
  }

  it('makes the states that were there, of every processor, from the archive alone', async () => {
    const { world, before } = await createWorked();
    trim(world);
    world.stores.empty();
    expect(await world.rebuild()).toEqual({ partitions: PARTITIONS, records: RECORDS, left: 0 });
    expect(world.stores.read()).toEqual(before);
  });

  it('goes on where the archive ends, and comes to the same states', async () => {
    const { world, before } = await createWorked();
    world.archive(() => ({ first: 0, next: 60, gaps: [] }));
    world.stores.empty();
    await world.rebuild();
    expect(world.stores.read()).not.toEqual(before);
    await world.work();
    expect(world.stores.read()).toEqual(before);
  });

  it('stops where something may not be published yet', async () => {
    const calm = await createWorked();
    const world = new World();
    world.feed();
    await world.work([FIRST]);
    // The second processor has published nothing, so none of its input may be skipped.
    const causes = Array.from({ length: PARTITIONS }, (_, partition) =>
      parsePosition(world.log.records('mid', partition)[0]?.headers[HEADERS.position]),
    );
    const { records } = await world.rebuild(true);
    expect(records).toBe(causes.reduce((sum, cause) => sum + must(cause, 'a position').offset, 0));
    expect(records).toBeLessThan(RECORDS / 2);
    await world.work();
    expect(world.stores.read()).toEqual(calm.before);
    expect(world.log.records('out').length).toBeGreaterThan(0);
  });

  it('is not led astray by what an outsider wrote between the processors', async () => {
    const world = new World();
    world.feed();
    const forge = (position: string, partition: number) =>
      world.log.append({
        topic: 'mid',
        partition,
        key: Buffer.from('k0'),
        value: Buffer.from('garbage'),
        headers: { [HEADERS.position]: position },
      });
    for (let partition = 0; partition < PARTITIONS; partition++) {
      forge(`first/${partition}:999999999999:0`, partition);
      forge('nobody/0:1:0', partition);
      forge(`first/${partition + 1}:0:0`, partition);
    }
    await world.work([FIRST]);
    const first = (partition: number) =>
      parsePosition(world.log.records('mid', partition)[3]?.headers[HEADERS.position]);
    const { records } = await world.rebuild(true);
    expect(records).toBe([0, 1].reduce((sum, partition) => sum + must(first(partition), 'a position').offset, 0));
    await world.work();
    const before = world.stores.read();
    world.stores.empty();
    await world.rebuild();
    await world.work();
    expect(world.stores.read()).toEqual(before);
    // In a topic that nobody else wrote to.
    const { before: calm } = await createWorked();
    expect(before).toEqual(calm);
  });

  it('stops at the record that caused the first one that a later processor had not done', async () => {
    const { world, before } = await createWorked();
    await commitBack(world, 40);
    const causes = Array.from({ length: PARTITIONS }, (_, partition) =>
      parsePosition(world.log.records('mid', partition)[40]?.headers[HEADERS.position]),
    );
    world.stores.empty();
    const { records } = await world.rebuild();
    expect(records).toBe(causes.reduce((sum, cause) => sum + must(cause, 'a position').offset, 0));
    expect(records).toBeGreaterThan(0);
    await world.work();
    expect(world.stores.read()).toEqual(before);
  });

  it('is started again after a kill at any commit', async () => {
    const { world, before } = await createWorked();
    for (let commits = 0; ; commits += 5) {
      world.stores.empty();
      world.stores.commitsLeft = commits;
      const killed = await world.rebuild().then(
        () => false,
        () => true,
      );
      world.stores.commitsLeft = Number.POSITIVE_INFINITY;
      await world.rebuild();
      expect(world.stores.read()).toEqual(before);
      if (!killed) return;
    }
  });

  it('leaves states that are there, unless it is asked to wipe them', async () => {
    const { world, before } = await createWorked();
    expect(await world.rebuild()).toEqual({ partitions: 0, records: 0, left: PARTITIONS });
    expect(await world.rebuild(true)).toEqual({ partitions: PARTITIONS, records: RECORDS, left: 0 });
    expect(world.stores.read()).toEqual(before);
  });

  it.each([
    ['lacks records', { first: 0, next: 60, gaps: [{ from: 20, to: 29 }] }, 0, 'the archive lacks offsets 20 to 29'],
    ['begins late', { first: 5, next: 60, gaps: [] }, 0, 'the archive begins at offset 5'],
    ['ends before the log begins', { first: 0, next: 20, gaps: [] }, 30, 'the log now begins at 30'],
    ['is not there', undefined, 30, 'the log now begins at 30'],
  ] as Array<[string, ArchivedRange | undefined, number, string]>)(
    'is rejected, and nothing touched, when the archive %s',
    async (_, range, low, message) => {
      const { world } = await createWorked();
      const before = world.stores.read();
      world.archive(() => range);
      for (let partition = 0; partition < PARTITIONS; partition++) world.log.trim('in', partition, low);
      await expect(world.rebuild(true)).rejects.toThrow(message);
      expect(world.stores.read()).toEqual(before);
    },
  );
});
