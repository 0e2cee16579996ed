import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ConsumerOptions, Log, LogConsumer, LogRecord, OutgoingRecord } from '@perennial/kafka';
import { createRandomToken, must } from '@perennial/kernel';

/** What the suite needs from an implementation. */
export interface LogContractHarness {
  readonly log: Log;
  createTopic(topic: string, partitions: number): Promise<void>;
  close(): Promise<void>;
}

const WAIT_MS_MAX = 30_000;
const POLL_MS = 10;

/** Waits until `check` returns true; throws after WAIT_MS_MAX. */
async function eventually(what: string, check: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WAIT_MS_MAX;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

interface Reader {
  readonly consumer: LogConsumer;
  readonly events: string[];
  readonly records: LogRecord[];
  readonly owned: Set<number>;
}

/** The rules of the Log port, run against every implementation: the fake in unit tests, Kafka in integration tests. */
export function describeLogContract(name: string, open: () => Promise<LogContractHarness>): void {
  describe(`log contract: ${name}`, () => {
    let harness: LogContractHarness;
    const fresh = () => `t-${createRandomToken().replaceAll('_', '-')}`;

    beforeAll(async () => {
      harness = await open();
    }, WAIT_MS_MAX);
    afterAll(async () => {
      await harness.close();
    }, WAIT_MS_MAX);

    async function makeTopic(partitions: number): Promise<string> {
      const topic = fresh();
      await harness.createTopic(topic, partitions);
      return topic;
    }

    function make(topic: string, partition: number, from: number, count: number): OutgoingRecord[] {
      return Array.from({ length: count }, (_, index) => ({
        topic,
        partition,
        key: Buffer.from(`k${index % 3}`),
        value: Buffer.from(String(from + index)),
        headers: { n: String(from + index) },
      }));
    }

    const valuesOf = (records: readonly LogRecord[], partition: number) =>
      records.filter((record) => record.partition === partition).map(({ value }) => Number(value?.toString()));

    const optionsFor = (topic: string, overrides: Partial<ConsumerOptions> = {}): ConsumerOptions => ({
      groupId: `g-${topic}`,
      topic,
      sessionTimeoutMs: 6_000,
      fetchBytesPerPartitionMax: 65_536,
      fetchWaitMaxMs: 100,
      fromBeginning: true,
      ...overrides,
    });

    async function read(
      options: ConsumerOptions,
      onRecords?: (reader: Reader, records: readonly LogRecord[]) => Promise<void>,
    ): Promise<Reader> {
      const events: string[] = [];
      const records: LogRecord[] = [];
      const owned = new Set<number>();
      const consumer = await harness.log.startConsumer(options, {
        onAssigned(partitions) {
          events.push(`assigned ${partitions}`);
          for (const partition of partitions) owned.add(partition);
        },
        onRevoked(partitions) {
          events.push(`revoked ${partitions}`);
          for (const partition of partitions) owned.delete(partition);
        },
        async onRecords(partition, batch) {
          if (!owned.has(partition)) events.push(`stray ${partition}`);
          records.push(...batch);
          await onRecords?.(reader, batch);
        },
      });
      const reader: Reader = { consumer, events, records, owned };
      return reader;
    }

    it(
      'gives back what was sent: order, offsets, key, value, headers',
      async () => {
        const topic = await makeTopic(2);
        const producer = await harness.log.createProducer();
        await producer.send([...make(topic, 0, 0, 5), ...make(topic, 1, 100, 3)]);
        await producer.send([{ topic, partition: 0, key: null, value: null, headers: { ce_id: 'ä €', empty: '' } }]);
        const reader = await read(optionsFor(topic));
        await eventually('nine records', () => reader.records.length >= 9);
        expect(valuesOf(reader.records, 1)).toEqual([100, 101, 102]);
        const first = reader.records.filter(({ partition }) => partition === 0);
        expect(first.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4, 5]);
        expect(first[1]).toMatchObject({ topic, key: Buffer.from('k1'), value: Buffer.from('1'), headers: { n: '1' } });
        expect(first[5]).toMatchObject({ key: null, value: null, headers: { ce_id: 'ä €', empty: '' } });
        expect(Math.abs(Date.now() - must(first[0], 'record').timestampMs)).toBeLessThan(60_000);
        await reader.consumer.stop();
        await producer.close();
      },
      WAIT_MS_MAX,
    );

    it(
      'keeps the order of concurrent sends in each partition, whatever is coalesced or split',
      async () => {
        const topic = await makeTopic(3);
        const producer = await harness.log.createProducer();
        const sends: Array<Promise<void>> = [];
        for (let round = 0; round < 60; round++) {
          const partition = round % 3;
          sends.push(producer.send(make(topic, partition, Math.floor(round / 3) * 100, 100)));
        }
        await Promise.all(sends);
        const reader = await read(optionsFor(topic));
        await eventually('6000 records', () => reader.records.length >= 6_000);
        const expected = Array.from({ length: 2_000 }, (_, index) => index);
        for (const partition of [0, 1, 2]) expect(valuesOf(reader.records, partition)).toEqual(expected);
        await reader.consumer.stop();
        await producer.close();
      },
      WAIT_MS_MAX,
    );

    it(
      'sends more than one request holds, and rejects a record that none can hold',
      async () => {
        const topic = await makeTopic(1);
        const producer = await harness.log.createProducer();
        const big = { topic, partition: 0, key: null, value: Buffer.alloc(400_000), headers: {} };
        await producer.send([big, big, big, big, big]);
        expect((await harness.log.offsets(topic)).get(0)).toEqual({ low: 0, high: 5 });
        await expect(producer.send([{ ...big, value: Buffer.alloc(1_100_000) }])).rejects.toMatchObject({
          code: 'limit_exceeded',
        });
        await producer.send(make(topic, 0, 0, 1));
        expect((await harness.log.offsets(topic)).get(0)).toEqual({ low: 0, high: 6 });
        await producer.close();
        await expect(producer.send([big])).rejects.toMatchObject({ code: 'dependency_unavailable' });
      },
      WAIT_MS_MAX,
    );

    it(
      'delivers a partition one call at a time, partitions concurrently, and waits for a slow handler',
      async () => {
        const topic = await makeTopic(2);
        const producer = await harness.log.createProducer();
        await producer.send([...make(topic, 0, 0, 1), ...make(topic, 1, 0, 1)]);
        let releaseBoth: () => void = () => undefined;
        const both = new Promise<void>((resolve) => {
          releaseBoth = resolve;
        });
        const inside = new Set<number>();
        const overlaps: number[] = [];
        const reader = await read(optionsFor(topic), async (_reader, records) => {
          const { partition } = must(records[0], 'record');
          if (inside.has(partition)) overlaps.push(partition);
          inside.add(partition);
          if (inside.size === 2) releaseBoth();
          await both;
          inside.delete(partition);
        });
        await eventually('both partitions', () => reader.records.length >= 2);
        await producer.send([...make(topic, 0, 1, 50), ...make(topic, 1, 1, 50)]);
        await eventually('the rest', () => reader.records.length >= 102);
        expect(overlaps).toEqual([]);
        await reader.consumer.stop();
        await producer.close();
      },
      WAIT_MS_MAX,
    );

    it(
      'seeks: right after assignment, from within a handler, and back',
      async () => {
        const topic = await makeTopic(1);
        const producer = await harness.log.createProducer();
        await producer.send(make(topic, 0, 0, 20));
        const firsts: number[] = [];
        let sought = false;
        const reader = await read(optionsFor(topic), async ({ consumer }, records) => {
          firsts.push(must(records[0], 'record').offset);
          if (sought) return;
          sought = true;
          await new Promise((resolve) => setTimeout(resolve, 20));
          consumer.seek(0, 15);
        });
        await eventually('a delivery from 15', () => firsts.includes(15));
        reader.consumer.seek(0, 7);
        await eventually('a delivery from 7', () => firsts.includes(7));
        await eventually('the end', () => must(reader.records.at(-1), 'record').offset === 19);
        reader.consumer.seek(99, 5);
        await reader.consumer.stop();

        let late: LogConsumer | undefined;
        const seen: number[] = [];
        late = await harness.log.startConsumer(optionsFor(topic, { groupId: fresh() }), {
          onAssigned: (partitions) => {
            for (const partition of partitions) setTimeout(() => late?.seek(partition, 12), 0);
          },
          onRevoked: () => undefined,
          onRecords: async (_partition, records) => {
            await new Promise((resolve) => setTimeout(resolve, 20));
            seen.push(must(records[0], 'record').offset);
          },
        });
        await eventually('a delivery from 12', () => seen.includes(12));
        await late.stop();
        await producer.close();
      },
      WAIT_MS_MAX,
    );

    it(
      'delivers again after a seek to where it stands, from within a handler',
      async () => {
        const topic = await makeTopic(1);
        const producer = await harness.log.createProducer();
        await producer.send(make(topic, 0, 0, 5));
        const firsts: number[] = [];
        const reader = await read(optionsFor(topic), async ({ consumer }, records) => {
          firsts.push(must(records[0], 'record').offset);
          if (firsts.length === 1) consumer.seek(0, 0);
        });
        await eventually('a second delivery from 0', () => firsts.filter((offset) => offset === 0).length === 2);
        await eventually('the end', () => must(reader.records.at(-1), 'record').offset === 4);
        await reader.consumer.stop();
        await producer.close();
      },
      WAIT_MS_MAX,
    );

    it(
      'delivers again what a handler failed on, and tells',
      async () => {
        const topic = await makeTopic(1);
        const producer = await harness.log.createProducer();
        await producer.send(make(topic, 0, 0, 3));
        const errors: Error[] = [];
        const offsets: number[] = [];
        const consumer = await harness.log.startConsumer(optionsFor(topic), {
          onAssigned: () => undefined,
          onRevoked: () => undefined,
          onRecords: async (_partition, records) => {
            offsets.push(must(records[0], 'record').offset);
            if (offsets.length === 1) throw new Error('not now');
          },
          onError: (error) => errors.push(error),
        });
        await eventually('a second delivery', () => offsets.length >= 2);
        expect(offsets.slice(0, 2)).toEqual([0, 0]);
        expect(errors.map(({ message }) => message)).toContain('not now');
        await consumer.stop();
        await producer.close();
      },
      WAIT_MS_MAX,
    );

    it(
      'keeps group offsets, starts from them, and ignores partitions of others',
      async () => {
        const topic = await makeTopic(2);
        const producer = await harness.log.createProducer();
        await producer.send(make(topic, 0, 0, 10));
        const options = optionsFor(topic);
        const reader = await read(options);
        await eventually('ten records', () => reader.records.length >= 10);
        await reader.consumer.commit(
          new Map([
            [0, 6],
            [77, 1],
          ]),
        );
        expect(await harness.log.groupOffsets(options.groupId, topic)).toEqual(new Map([[0, 6]]));
        await reader.consumer.stop();
        await reader.consumer.commit(new Map([[0, 9]]));
        const next = await read(options);
        await eventually('the rest', () => next.records.length >= 4);
        expect(must(next.records[0], 'record').offset).toBe(6);
        await next.consumer.stop();
        await producer.close();
      },
      WAIT_MS_MAX,
    );

    it(
      'tells of offsets, and that a topic is missing',
      async () => {
        const topic = await makeTopic(2);
        expect(await harness.log.offsets(topic)).toEqual(
          new Map([
            [0, { low: 0, high: 0 }],
            [1, { low: 0, high: 0 }],
          ]),
        );
        await expect(harness.log.offsets(fresh())).rejects.toMatchObject({ code: 'not_found' });
        expect(await harness.log.groupOffsets(fresh(), topic)).toEqual(new Map());
      },
      WAIT_MS_MAX,
    );

    it(
      'shares partitions between members and takes over from one that leaves, without strays',
      async () => {
        const topic = await makeTopic(4);
        const producer = await harness.log.createProducer();
        const options = optionsFor(topic);
        const one = await read(options);
        await eventually('one owns all', () => one.owned.size === 4);
        const two = await read(options);
        await eventually('both own two', () => one.owned.size === 2 && two.owned.size === 2);
        expect(new Set([...one.owned, ...two.owned]).size).toBe(4);
        await one.consumer.stop();
        expect(one.owned.size).toBe(0);
        await eventually('two owns all', () => two.owned.size === 4);
        await producer.send([0, 1, 2, 3].flatMap((partition) => make(topic, partition, 0, 5)));
        await eventually('twenty records', () => two.records.length >= 20);
        await two.consumer.stop();
        for (const { events } of [one, two]) expect(events.filter((event) => event.startsWith('stray'))).toEqual([]);
        await producer.close();
      },
      WAIT_MS_MAX,
    );

    it(
      'waits for what a member has in hand before anybody else gets the partition',
      async () => {
        const topic = await makeTopic(1);
        const producer = await harness.log.createProducer();
        await producer.send(make(topic, 0, 0, 1));
        const options = optionsFor(topic);
        const order: string[] = [];
        let finish: () => void = () => undefined;
        const finished = new Promise<void>((resolve) => {
          finish = resolve;
        });
        const one = await harness.log.startConsumer(options, {
          onAssigned: () => undefined,
          onRevoked: async () => {
            await finished;
            order.push('revoked');
          },
          onRecords: async () => {
            order.push('begin');
            await finished;
            order.push('end');
          },
        });
        await eventually('a delivery', () => order.includes('begin'));
        const stopping = one.stop();
        const two = await read(options, async () => {
          order.push('taken over');
        });
        setTimeout(finish, 300);
        await stopping;
        await eventually('the other takes over', () => order.includes('taken over'));
        expect(order[0]).toBe('begin');
        expect(order.at(-1)).toBe('taken over');
        expect(order).toHaveLength(4);
        await two.consumer.stop();
        await producer.close();
      },
      WAIT_MS_MAX,
    );
  });
}
