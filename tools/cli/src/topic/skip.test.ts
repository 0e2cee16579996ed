import { describe, expect, it } from '@jest/globals';
import { toConsumerGroup, toTopic } from '@perennial/contracts';
import { createMemoryLog } from '@perennial/kafka/testing';
import { resolveTopic } from './names.js';
import { formatSkip, planSkip } from './skip.js';

const NAMESPACE = 'shop';
const RECEIVED = toTopic(NAMESPACE, 'eventReceived');
const GROUP = toConsumerGroup(NAMESPACE, 'ingest-received');
const LIMITS = { sessionTimeoutMs: 1_000, fetchBytesPerPartitionMax: 1_000, fetchWaitMaxMs: 1, fromBeginning: true };

/** A log of 10 records of 3 bytes, one unreadable, and marks; the group has read 4. */
async function createLog() {
  const log = createMemoryLog({ partitions: 2, now: () => Date.UTC(2026, 0, 1) });
  log.createTopic(RECEIVED);
  for (let offset = 0; offset < 10; offset++) {
    const unreadable = { reason: 'damaged', message: 'damaged', firstOffset: offset } as const;
    const record = { topic: RECEIVED, partition: 1, key: null, value: Buffer.from('abc'), headers: {} };
    if (offset === 6) log.appendControl(RECEIVED, 1);
    else log.append(offset === 5 ? { ...record, unreadable } : record);
  }
  const consumer = await log.startConsumer(
    { ...LIMITS, groupId: GROUP, topic: RECEIVED },
    { onAssigned: () => undefined, onRevoked: () => undefined, onRecords: async () => undefined },
  );
  await new Promise((resolve) => setTimeout(resolve, 10));
  await consumer.commit(new Map([[1, 4]]));
  await consumer.stop();
  return log;
}

async function plan(
  to: number,
  { topic = 'event.received', partition = 1, group = undefined as string | undefined } = {},
) {
  const log = await createLog();
  return planSkip(log, { named: resolveTopic(topic, NAMESPACE), namespace: NAMESPACE, partition, to, group });
}

describe('a skip', () => {
  it('says what the group will not read, from where it is', async () => {
    const skip = await plan(8);
    expect(skip).toEqual({
      at: { groupId: GROUP, topic: RECEIVED, partition: 1, offset: 8 },
      from: 4,
      records: {
        ...{ count: 3, unreadable: 1, bytes: 9 },
        ...{ firstTime: '2026-01-01T00:00:00.000Z', lastTime: '2026-01-01T00:00:00.000Z' },
      },
      unread: undefined,
    });
    expect(formatSkip(skip, { dryRun: false })).toBe(
      `${GROUP} skips offsets 4 to 7 of ${RECEIVED}/1 (records 3, unreadable 1, bytes 9, appended 2026-01-01T00:00:00.000Z to 2026-01-01T00:00:00.000Z); it continues at 8`,
    );
  });

  it.each([5, 7, 10])('reads no further than its end, %i, wherever that lies', async (to) => {
    const unreadable = to > 5 ? 1 : 0;
    expect((await plan(to)).records).toMatchObject({ count: to - 4 - (to > 6 ? 1 : 0), unreadable: unreadable });
  });

  it.each([4, 0])('is no way back, to %i', async (to) => {
    await expect(plan(to)).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('offset 4'),
    });
  });

  it('does not go beyond the log', async () => {
    await expect(plan(11)).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('--to 11 lies beyond the end of the log, 10'),
    });
    await expect(plan(1, { partition: 2 })).rejects.toMatchObject({ code: 'not_found' });
  });

  it.each([
    ['score.computed', undefined, 'action cannot skip: it keeps its offset with its states in Redis'],
    ['event.accepted', undefined, 'feature-store cannot skip'],
    ['event.accepted', 'event-archive', 'event-archive cannot skip: it finds its offset by the names of its files'],
    ['stage.changed', undefined, 'scoring-transitions cannot skip: it keeps its offset with its rows in PostgreSQL'],
    ['event.received', 'scoring', 'scoring does not fit: ingest-received reads'],
    ['event.rejected', undefined, 'a skip does not fit: no group of the platform reads'],
  ])('of %s (group %s) says why it does not help', async (topic, group, message) => {
    await expect(plan(5, { topic, group })).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining(message),
    });
  });
});
