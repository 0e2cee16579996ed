import { expect, it } from '@jest/globals';
import { toTopic } from '@perennial/contracts';
import type { LogRecord } from '@perennial/kafka';
import { createMemoryLog } from '@perennial/kafka/testing';
import { createPartitionReader } from './read-partition.js';

/** An archive of the first records of partition 0. */
function toArchive(records: readonly LogRecord[], first = 0) {
  const next = first + records.length;
  return {
    list: async () => new Map([[0, { files: [], first, next, gaps: [] }]]),
    async *readLog() {
      yield records;
    },
  };
}

it('reads the archive and, where that ends, the log up to its present end', async () => {
  const topic = toTopic('live', 'eventAccepted');
  const log = createMemoryLog({ partitions: 2 });
  const producer = await log.createProducer();
  const toRecord = (partition: number, text: string) => ({
    topic,
    partition,
    key: Buffer.from('k'),
    value: Buffer.from(text),
    headers: {},
  });
  await producer.send(['a', 'b', 'c'].map((text) => toRecord(0, text)));
  await producer.send([toRecord(1, 'other')]);
  const archived = {
    topic,
    partition: 0,
    offset: 0,
    timestampMs: 0,
    key: null,
    value: Buffer.from('archived'),
    headers: {},
  };
  const read = async (archive: Parameters<typeof createPartitionReader>[0]['archive']) => {
    const seen: string[] = [];
    await createPartitionReader({ namespace: 'live', log, archive })(0, async (records) => {
      seen.push(...records.map(({ value }) => String(value)));
    });
    return seen;
  };
  expect(await read(toArchive([archived]))).toEqual(['archived', 'b', 'c']);
  expect(await read(undefined)).toEqual(['a', 'b', 'c']);
  await expect(read(toArchive([archived], 1))).rejects.toMatchObject({
    code: 'data_damaged',
    message: expect.stringContaining('offsets 0 to 0'),
  });
});

it('rests between pages, and ends when it is to stop', async () => {
  const log = createMemoryLog({ partitions: 1 });
  const topic = toTopic('live', 'eventAccepted');
  const producer = await log.createProducer();
  await producer.send([{ topic, partition: 0, key: null, value: Buffer.from('archived'), headers: {} }]);
  const records = Array.from({ length: 1_200 }, (_, offset) => ({
    topic,
    partition: 0,
    offset,
    timestampMs: 0,
    key: null,
    value: null,
    headers: {},
  }));
  let nowMs = 0;
  const waits: number[] = [];
  const stopping = new AbortController();
  const clock = {
    now: () => nowMs,
    steadyMs: () => nowMs,
    wait: async (ms: number) => {
      waits.push(ms);
      nowMs += ms;
    },
  };
  const readPartition = createPartitionReader({
    namespace: 'live',
    log,
    archive: toArchive(records),
    dutyShareMax: 0.25,
    clock,
  });
  const sizes: number[] = [];
  const take = async (some: readonly LogRecord[]) => {
    nowMs += 100;
    sizes.push(some.length);
  };
  await readPartition(0, take, stopping.signal);
  expect([sizes, waits]).toEqual([
    [500, 500, 200],
    [300, 300],
  ]);
  stopping.abort(new Error('it stops'));
  await expect(readPartition(0, take, stopping.signal)).rejects.toThrow('it stops');
  expect(sizes).toEqual([500, 500, 200, 500]);
});
