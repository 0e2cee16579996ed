import { describe, expect, it } from '@jest/globals';
import { AcceptedRecord, type EventRejected, HEADERS, toConsumerGroup, toTopic } from '@perennial/contracts';
import type { LogRecord, OutgoingRecord } from '@perennial/kafka';
import { createMemoryLog, type MemoryLog } from '@perennial/kafka/testing';
import { AppError } from '@perennial/kernel';
import { createDeadLetterQueue } from './dead-letter-queue.js';
import { formatEntry, formatRedrive, formatRows } from './format.js';
import { listEntries } from './list.js';
import { readRecordAt } from './records-at.js';
import { redriveAt, redriveNew } from './redrive.js';
import { REDRIVE_BYTES_MAX } from './redriver.js';
import { createRejectedQueue } from './rejected-queue.js';

const NAMESPACE = 'shop';
const ACCEPTED = toTopic(NAMESPACE, 'eventAccepted');
const DEAD = toTopic(NAMESPACE, 'deadLettered');
const REJECTED = toTopic(NAMESPACE, 'eventRejected');
const RECEIVED = toTopic(NAMESPACE, 'eventReceived');
const PARTITIONS = 2;

function createLog(): MemoryLog {
  let now = Date.UTC(2026, 0, 1);
  const log = createMemoryLog({ partitions: PARTITIONS, now: () => now++ });
  for (const topic of [ACCEPTED, DEAD, REJECTED, RECEIVED]) log.createTopic(topic);
  return log;
}

function toLetter(
  partition: number,
  letter: {
    key?: string | null;
    value?: Buffer | null;
    headers?: Record<string, string>;
    origin?: string;
    position?: number;
  },
): OutgoingRecord {
  const { key = 'ada', value = Buffer.from([0xff]), headers = {} } = letter;
  const { origin = `${ACCEPTED}/${partition}:7`, position = nextPosition++ } = letter;
  return {
    topic: DEAD,
    partition,
    key: key === null ? null : Buffer.from(key),
    value,
    headers: {
      [HEADERS.deadLetterCause]: 'it cannot be read',
      [HEADERS.deadLetterProcessor]: 'feature-store',
      [HEADERS.origin]: origin,
      [HEADERS.position]: `feature-store/${partition}:${position}:0`,
      ...headers,
    },
  };
}

/** Positions ascend in the order of creation; a copy gets the position of its letter. */
let nextPosition = 100;

function toTick(): Buffer {
  return Buffer.from(AcceptedRecord.encode({ record: { $case: 'tick', value: { timeMs: 5 } } }).finish());
}

function toRejected(event: Partial<EventRejected>): OutgoingRecord {
  const data: EventRejected = {
    reason: 'invalid_revenue',
    message: 'properties.revenue is no number',
    position: 'http',
    sourceId: 'src_1',
    receivedAt: '2026-01-01T10:00:00.000Z',
    event: JSON.stringify({ type: 'track', userId: 'ada', sentAt: '2026-01-01T09:00:00.000Z', properties: {} }),
    encoding: 'json',
    ...event,
  };
  const value = Buffer.from(JSON.stringify(data));
  return { topic: REJECTED, partition: 1, key: null, value, headers: { ce_id: 'rejected-1' } };
}

const contents = (records: readonly LogRecord[]) =>
  records.map(({ key, value, headers }) => ({ key: key && String(key), value: value?.toString('hex'), headers }));

describe('a list of dead letters', () => {
  it('has the newest of those that match, oldest first, and counts all', async () => {
    const log = createLog();
    for (let i = 0; i < 9; i++) log.append(toLetter(i % 2, { key: `k${i}` }));
    log.append(toLetter(0, { key: 'other', headers: { [HEADERS.deadLetterProcessor]: 'scoring' } }));
    log.append({ topic: DEAD, partition: 0, key: null, value: Buffer.from('of a stranger'), headers: {} });
    const queue = createDeadLetterQueue(log, NAMESPACE);
    const list = async (filter: Parameters<typeof listEntries>[2]) => {
      const { rows, count } = await listEntries(log, queue, filter);
      return { keys: rows.map(({ key }) => key), count };
    };
    expect(await list({ filter: { processor: 'feature-store' }, limit: 2 })).toEqual({ keys: ['k7', 'k8'], count: 9 });
    expect(await list({ filter: { processor: 'scoring' }, limit: 2 })).toEqual({ keys: ['other'], count: 1 });
    expect(await list({ filter: { cause: 'CANNOT' }, limit: 3 })).toMatchObject({ count: 10 });
    expect(await list({ filter: { cause: 'another' }, limit: 3 })).toEqual({ keys: [], count: 0 });
  });

  it('reads as one line each', async () => {
    const log = createLog();
    log.append(toLetter(1, { value: toTick(), headers: { [HEADERS.deadLetterCause]: 'a\n  b' } }));
    const { rows } = await listEntries(log, createDeadLetterQueue(log, NAMESPACE), { filter: {}, limit: 5 });
    expect(formatRows(rows).text.split('\n')).toEqual([
      expect.stringMatching(/^POSITION +TIME +PROCESSOR +KIND +ORIGIN +KEY +CAUSE$/),
      expect.stringMatching(/^1:0 +2026-01-01T\S+ +feature-store +timer +shop\.\S+\/1:7 +ada +a b$/),
    ]);
  });
});

describe('one dead letter', () => {
  it('is shown with all that is known of it', async () => {
    const log = createLog();
    const headers = { mine: 'kept', [HEADERS.originPosition]: 'upstream/0:3:0', [HEADERS.redrivenFrom]: 'dead/0:1' };
    log.append(toLetter(0, { headers }));
    const entry = createDeadLetterQueue(log, NAMESPACE).toEntry(
      await readRecordAt(log, DEAD, { partition: 0, offset: 0 }),
    );
    expect(entry).toMatchObject({
      kind: 'undecodable',
      key: 'ada',
      notes: { 'caused by': 'upstream/0:3:0', 'redriven before, from': 'dead/0:1' },
      headers: { mine: 'kept' },
    });
    const { text } = formatEntry(entry as NonNullable<typeof entry>);
    for (const part of ['it cannot be read', 'upstream/0:3:0', 'mine: kept', '"hex": "ff"'])
      expect(text).toContain(part);
  });

  it.each([
    [{ partition: 0, offset: 0 }, 'is gone: partition 0 of .* now begins at 1'],
    [{ partition: 0, offset: 2 }, 'is not there: partition 0 of .* ends at 2'],
    [{ partition: 9, offset: 0 }, 'has no partition 9'],
  ])('that is not there is named with the reason: %j', async (position, reason) => {
    const log = createLog();
    log.append(toLetter(0, {}));
    log.append(toLetter(0, {}));
    log.trim(DEAD, 0, 1);
    await expect(readRecordAt(log, DEAD, position)).rejects.toThrow(new RegExp(reason));
  });
});

describe('a redrive by position', () => {
  it('puts a letter back on its origin with its own key, value and headers, each time it is asked', async () => {
    const log = createLog();
    log.append(toLetter(0, {}));
    log.append(toLetter(1, { key: 'eve', value: Buffer.from([1, 2]), headers: { mine: 'kept' } }));
    const queue = createDeadLetterQueue(log, NAMESPACE);
    const positions = [{ partition: 1, offset: 0 }];
    expect((await redriveAt({ log, queue, dryRun: true }, positions)).redriven).toEqual({ [ACCEPTED]: 1 });
    expect(log.records(ACCEPTED)).toEqual([]);
    for (let i = 0; i < 2; i++) await redriveAt({ log, queue, dryRun: false }, positions);
    const expected = { key: 'eve', value: '0102', headers: { mine: 'kept', [HEADERS.redrivenFrom]: `${DEAD}/1:0` } };
    expect(contents(log.records(ACCEPTED, 1))).toEqual([expected, expected]);
    expect(log.records(ACCEPTED, 0)).toEqual([]);
  });

  it('finds many positions in any order, each once', async () => {
    const log = createLog();
    for (let i = 0; i < 300; i++) log.append(toLetter(i % 2, { key: `k${i}` }));
    const positions = Array.from({ length: 120 }, (_, i) => ({ partition: i % 2, offset: 149 - i }));
    const queue = createDeadLetterQueue(log, NAMESPACE);
    await redriveAt({ log, queue, dryRun: false }, [...positions, ...positions]);
    const keys = log.records(ACCEPTED).map(({ key }) => String(key));
    expect(new Set(keys)).toEqual(new Set(positions.map(({ partition, offset }) => `k${2 * offset + partition}`)));
    expect(keys).toHaveLength(120);
  });

  it('writes nothing when one of the positions is not there', async () => {
    const log = createLog();
    log.append(toLetter(0, {}));
    const positions = [
      { partition: 0, offset: 0 },
      { partition: 0, offset: 5 },
    ];
    const queue = createDeadLetterQueue(log, NAMESPACE);
    await expect(redriveAt({ log, queue, dryRun: false }, positions)).rejects.toThrow('is not there');
    expect(log.records(ACCEPTED)).toEqual([]);
  });

  it('takes what was too large for a letter from its origin, and says so when that is gone', async () => {
    const log = createLog();
    const headers = { mine: 'kept', [HEADERS.position]: 'upstream/0:1:0' };
    log.append({ topic: ACCEPTED, partition: 0, key: Buffer.from('ada'), value: Buffer.from('large'), headers });
    const omitted = { key: null, value: null, headers: { [HEADERS.omittedBytes]: '5' }, origin: `${ACCEPTED}/0:0` };
    log.append(toLetter(0, omitted));
    const queue = createDeadLetterQueue(log, NAMESPACE);
    const positions = [{ partition: 0, offset: 0 }];
    await redriveAt({ log, queue, dryRun: false }, positions);
    expect(contents(log.records(ACCEPTED, 0))[1]).toEqual({
      key: 'ada',
      value: Buffer.from('large').toString('hex'),
      headers: { mine: 'kept', [HEADERS.redrivenFrom]: `${DEAD}/0:0` },
    });
    log.trim(ACCEPTED, 0, 1);
    const report = await redriveAt({ log, queue, dryRun: false }, positions);
    expect(report).toMatchObject({ redriven: {}, skippedCount: 1 });
    expect(report.skipped[0]?.reason).toMatch(/too large to be kept as a dead letter, and .* is gone/);
  });

  it.each([
    ['has no topic any more', { origin: 'gone/0:1' }, 'there is no partition 0 of gone'],
    [
      'could not be read',
      { key: null, value: null },
      'there is nothing to re-publish, it has no value: it cannot be read',
    ],
    ['is larger than a broker takes', { value: Buffer.alloc(REDRIVE_BYTES_MAX) }, 'it is too large to be re-published'],
  ])('rejects what %s, and re-publishes the others', async (_, letter, reason) => {
    const log = createLog();
    log.append(toLetter(0, letter));
    log.append(toLetter(0, {}));
    const queue = createDeadLetterQueue(log, NAMESPACE);
    const positions = [0, 1].map((offset) => ({ partition: 0, offset }));
    const report = await redriveAt({ log, queue, dryRun: false }, positions);
    expect(report).toMatchObject({ redriven: { [ACCEPTED]: 1 }, skippedCount: 1, skipped: [{ position: '0:0' }] });
    expect(formatRedrive(report, { dryRun: false, many: 'dead letters' }).text).toContain(`  0:0  ${reason}`);
  });
});

describe('a rejected record that holds several events', () => {
  const toEvent = (name: string) => JSON.stringify({ type: 'track', event: name, sentAt: '2026-01-01T09:00:00.000Z' });
  const several = toRejected({
    event: toEvent('a'),
    count: 3,
    more: ['b', 'c'].map((name) => ({ message: `no id in ${name}`, event: toEvent(name) })),
  });
  const at = [{ partition: 1, offset: 0 }];
  const received = (log: MemoryLog) =>
    log
      .records(RECEIVED)
      .map(({ value, headers }) => [JSON.parse(String(value)), headers.ce_id])
      .toSorted(([, a], [, b]) => String(a).localeCompare(String(b)));

  it('is listed as one, with their number, and shown with all', async () => {
    const log = createLog();
    log.append(several);
    const queue = createRejectedQueue(log, NAMESPACE);
    const { rows, count } = await listEntries(log, queue, { filter: {}, limit: 5 });
    expect(count).toBe(1);
    expect(formatRows(rows).text).toContain('(the first of 3 events)');
    const entry = queue.toEntry(await readRecordAt(log, REJECTED, { partition: 1, offset: 0 }));
    expect(entry).toMatchObject({ notes: { events: '3' }, value: [{ event: 'a' }, { event: 'b' }, { event: 'c' }] });
  });

  it('is redriven event by event, under ids that a second redrive repeats', async () => {
    const log = createLog();
    log.append(several);
    const queue = createRejectedQueue(log, NAMESPACE);
    const report = await redriveAt({ log, queue, dryRun: false }, at);
    expect(report.redriven).toEqual({ [RECEIVED]: 3 });
    const expected = [
      [{ type: 'track', event: 'a' }, 'rejected-1'],
      [{ type: 'track', event: 'b' }, 'rejected-1:1'],
      [{ type: 'track', event: 'c' }, 'rejected-1:2'],
    ];
    expect(received(log)).toEqual(expected);
    await redriveAt({ log, queue, dryRun: false }, at);
    expect(new Set(received(log).map(([, id]) => id)).size).toBe(3);
  });

  it('is corrected by as many events, and by no other number', async () => {
    const log = createLog();
    log.append(several);
    const run = (replacement: unknown) =>
      redriveAt({ log, queue: createRejectedQueue(log, NAMESPACE, replacement), dryRun: false }, at);
    for (const wrong of [{ event: 'x' }, [{ event: 'x' }], Array(4).fill({ event: 'x' })]) {
      expect(await run(wrong)).toMatchObject({
        skipped: [{ position: '1:0', reason: expect.stringContaining('3 events: give a JSON array of 3') }],
      });
    }
    expect(received(log)).toEqual([]);
    await run([{ event: 'x' }, { event: 'y' }, { event: 'z' }]);
    expect(received(log).map(([value]) => value)).toEqual([{ event: 'x' }, { event: 'y' }, { event: 'z' }]);
  });
});

describe('a redrive of all', () => {
  it('goes on from the last one, and the second time does nothing and says so', async () => {
    const log = createLog();
    for (let i = 0; i < 5; i++) log.append(toLetter(i % 2, { key: `k${i}` }));
    log.append(toLetter(0, { value: toTick() }));
    const queue = createDeadLetterQueue(log, NAMESPACE);
    const run = (dryRun = false) => redriveNew({ log, queue, dryRun }, NAMESPACE);
    expect(await run(true)).toMatchObject({ redriven: { [ACCEPTED]: 6 }, timers: 1 });
    expect(log.records(ACCEPTED)).toEqual([]);
    const first = await run();
    expect(first).toMatchObject({ redriven: { [ACCEPTED]: 6 }, timers: 1, skippedCount: 0 });
    expect(formatRedrive(first, { dryRun: false, many: 'dead letters' }).text).toContain('1 timers: each fires');
    expect(log.records(ACCEPTED, 1).map(({ key }) => String(key))).toEqual(['k1', 'k3']);
    const letters = log.records(DEAD, 1).map(({ headers }) => `redrive:${headers[HEADERS.position]}`);
    expect(log.records(ACCEPTED, 1).map(({ headers }) => headers[HEADERS.position])).toEqual(letters);
    const second = await run();
    expect(second).toEqual({ redriven: {}, timers: 0, skippedCount: 0, skipped: [] });
    expect(formatRedrive(second, { dryRun: false, many: 'dead letters' }).text).toContain('nothing to re-publish');
    log.append(toLetter(1, { key: 'late' }));
    expect(await run()).toMatchObject({ redriven: { [ACCEPTED]: 1 } });
    expect(String(log.records(ACCEPTED, 1).at(-1)?.key)).toBe('late');
  });

  it('re-publishes once what its writer published twice, and each of what has the same position by chance', async () => {
    const log = createLog();
    const by = (originPosition: string) => ({ headers: { [HEADERS.originPosition]: originPosition } });
    const again = { ...by('upstream/0:5:0'), value: Buffer.from([1]) };
    for (const offset of [7, 9]) log.append(toLetter(0, { ...again, origin: `${ACCEPTED}/0:${offset}` }));
    log.append(toLetter(0, { ...again, value: Buffer.from([2]) }));
    log.append(toLetter(0, { value: Buffer.from([1]) }));
    log.append(toLetter(0, { value: Buffer.from([1]) }));
    const options = { log, queue: createDeadLetterQueue(log, NAMESPACE), dryRun: false };
    expect(await redriveNew(options, NAMESPACE)).toMatchObject({ redriven: { [ACCEPTED]: 4 } });
    log.append(toLetter(0, { ...again, origin: `${ACCEPTED}/0:11` }));
    expect(await redriveNew(options, NAMESPACE)).toMatchObject({ redriven: {} });
  });

  it('passes copies over that a restarted processor made, in this run and since the last', async () => {
    const log = createLog();
    const options = { log, queue: createDeadLetterQueue(log, NAMESPACE), dryRun: false };
    const append = (...positions: number[]) => {
      for (const position of positions) log.append(toLetter(0, { position }));
    };
    append(1, 2, 1, 2);
    expect(await redriveNew(options, NAMESPACE)).toMatchObject({ redriven: { [ACCEPTED]: 2 } });
    append(1, 2, 3);
    expect(await redriveNew({ ...options, dryRun: true }, NAMESPACE)).toMatchObject({ redriven: { [ACCEPTED]: 1 } });
    expect(await redriveNew(options, NAMESPACE)).toMatchObject({ redriven: { [ACCEPTED]: 1 } });
    expect(
      (await listEntries(log, options.queue, { filter: {}, limit: 9 })).rows.map(({ position }) => position),
    ).toEqual(['0:0', '0:1', '0:6']);
  });

  it('that fails remembers nothing of what it could not write', async () => {
    const log = createLog();
    for (let i = 0; i < 3; i++) log.append(toLetter(0, { key: `k${i}` }));
    log.failNextSend({ written: 1, error: new AppError('dependency_unavailable', 'the broker is away') });
    const options = { log, queue: createDeadLetterQueue(log, NAMESPACE), dryRun: false };
    await expect(redriveNew(options, NAMESPACE)).rejects.toThrow('the broker is away');
    const group = toConsumerGroup(NAMESPACE, 'dlq-redrive');
    const committed = (await log.groupOffsets(group, DEAD)).get(0) ?? 0;
    const written = log.records(ACCEPTED, 0).map(({ key }) => String(key));
    expect(new Set(written).size).toBeGreaterThanOrEqual(committed);
    await redriveNew(options, NAMESPACE);
    const after = log.records(ACCEPTED, 0).map(({ headers }) => headers[HEADERS.position]);
    const letters = log.records(DEAD, 0).map(({ headers }) => `redrive:${headers[HEADERS.position]}`);
    expect(new Set(after)).toEqual(new Set(letters));
  });
});

describe('rejected events', () => {
  it('are listed and shown like dead letters', async () => {
    const log = createLog();
    log.append(toRejected({}));
    log.append(toRejected({ event: Buffer.from([0xff]).toString('base64'), encoding: 'base64', reason: 'not_json' }));
    const copied = { ...toRejected({ reason: 'copied' }), headers: { ce_id: `${RECEIVED}/0:4` } };
    for (let i = 0; i < 2; i++) log.append(copied);
    const { rows } = await listEntries(log, createRejectedQueue(log, NAMESPACE), {
      filter: { cause: 'revenue' },
      limit: 9,
    });
    expect(rows).toEqual([
      {
        position: '1:0',
        time: '2026-01-01T10:00:00.000Z',
        processor: 'ingest',
        kind: 'track',
        origin: 'http',
        key: null,
        cause: 'invalid_revenue: properties.revenue is no number',
        notes: { source: 'src_1' },
      },
      expect.objectContaining({ position: '1:1', kind: 'bytes' }),
      expect.objectContaining({ position: '1:2', cause: expect.stringMatching(/^copied/) }),
    ]);
  });

  it('are re-published to event.received under their id and time, as they were or corrected', async () => {
    const log = createLog();
    log.append(toRejected({}));
    const positions = [{ partition: 1, offset: 0 }];
    await redriveAt({ log, queue: createRejectedQueue(log, NAMESPACE), dryRun: false }, positions);
    const corrected = { type: 'track', userId: 'ada', event: 'Order Completed' };
    await redriveAt({ log, queue: createRejectedQueue(log, NAMESPACE, corrected), dryRun: false }, positions);
    const received = log.records(RECEIVED);
    expect(received.map(({ value }) => JSON.parse(String(value)))).toEqual([
      { type: 'track', userId: 'ada', properties: {} },
      corrected,
    ]);
    for (const { headers } of received) {
      expect(headers).toMatchObject({
        ce_id: 'rejected-1',
        ce_time: '2026-01-01T10:00:00.000Z',
        [HEADERS.redrivenFrom]: `${REJECTED}/1:0`,
      });
    }
  });

  it('that are no JSON object need a correction', async () => {
    const log = createLog();
    log.append(toRejected({ event: '[1, 2' }));
    const positions = [{ partition: 1, offset: 0 }];
    const report = await redriveAt({ log, queue: createRejectedQueue(log, NAMESPACE), dryRun: false }, positions);
    expect(report.skipped).toEqual([{ position: '1:0', reason: expect.stringContaining('--with') }]);
  });
});
