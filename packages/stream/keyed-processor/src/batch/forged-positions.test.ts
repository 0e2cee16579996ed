import { describe, expect, it } from '@jest/globals';
import { encodePosition, HEADERS } from '@perennial/contracts';
import type { LogRecord } from '@perennial/kafka';
import { MemoryPartitionStore, type Sum } from '@perennial/keyed-processor/testing';
import fc from 'fast-check';
import { createHarness, RecordingProducer, toInput } from '../worker-test-kit.js';
import { SourceEnds } from './source-ends.js';

/*
 * Whoever may write to the topic between two processors can make up a position. Whatever they write, every record of
 * the source counts once, and what they wrote is kept with the cause.
 */

const SOURCE_END = 100;
const at = (offset: number | string, source = 'upstream/0') => `${source}:${offset}:0`;

const forgedPositions = fc.oneof(
  fc.integer({ min: SOURCE_END, max: 2 ** 50 }).map((offset) => at(offset)),
  fc.constantFrom(at(1, 'upstream/1'), at(1, 'nobody/0'), at(1, 'upstream'), at('9'.repeat(50)), '', 'x', ':::'),
  fc.constantFrom(at(SOURCE_END, 'redrive:summing/0'), at(1, 'redrive:summing/1'), at(1, 'redrive:upstream/0')),
);
/** What is no record may carry any position, a plausible one too. */
const garbage = fc.record({
  body: fc.constant('\xff garbage'),
  position: fc.oneof(
    forgedPositions,
    fc.integer({ min: 0, max: SOURCE_END - 1 }).map((offset) => at(offset)),
  ),
});
const decodable = fc.record({ body: fc.constant({ value: 1_000 }), position: forgedPositions });
const good = fc.record({ body: fc.constant({ value: 1 }), position: fc.constant(undefined) });

/** Good records get the positions of a source, in order. */
function toRecords(bodies: ReadonlyArray<{ body: unknown; position: string | undefined }>): {
  records: LogRecord[];
  goodCount: number;
} {
  let goodCount = 0;
  const records = toInput(bodies.map(({ body }) => ({ key: 'a', body }))).map((record, i) => {
    const position = bodies[i]?.position ?? encodePosition({ source: 'upstream/0', offset: goodCount++, ordinal: 0 });
    return { ...record, headers: { [HEADERS.position]: position } };
  });
  return { records, goodCount };
}

async function work(input: readonly LogRecord[], chunk = 3) {
  const store = new MemoryPartitionStore();
  const producer = new RecordingProducer();
  const harness = createHarness({ input, store, producer, owner: 'one', sourceEnd: SOURCE_END });
  await harness.drain({ chunk });
  await harness.worker.stop();
  return { store, letters: producer.written.filter(({ topic }) => topic === 'dead') };
}

describe('forged positions', () => {
  it('silence nothing, whatever they are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(good, garbage, decodable), { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 7 }),
        async (bodies, chunk) => {
          const { records, goodCount } = toRecords(bodies);
          const { store, letters } = await work(records, chunk);
          const { sum = 0 } = JSON.parse(store.contents().states.a ?? '{}') as Partial<Sum>;
          expect(sum).toBe(goodCount);
          // Garbage at or below a position that was applied passes for a repeat of it.
          const dropped = bodies.length - goodCount - letters.length;
          expect(dropped).toBeGreaterThanOrEqual(0);
          expect(dropped).toBeLessThanOrEqual(
            records.filter(({ value, headers }) => String(value).includes('garbage') && isPlausible(headers)).length,
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each([
    [at(999_999_999_999), 'partition 0 of upstream-in has no such offset'],
    [at(SOURCE_END), 'partition 0 of upstream-in has no such offset'],
    [at(1, 'upstream/3'), 'its partition is not that of the record, which is 0'],
    [at(1, 'nobody/0'), 'in has no such source'],
    ['nonsense', 'it is not of the form <processor>/<partition>:<offset>:<ordinal>'],
    [at(7, 'redrive:summing/0'), 'partition 0 of in has no such offset'],
  ])('%s is dead-lettered with its cause', async (position, cause) => {
    const { records } = toRecords([{ body: { value: 1_000 }, position }]);
    const { letters, store } = await work(records);
    expect(letters[0]?.headers[HEADERS.deadLetterCause]).toBe(
      `the position ${JSON.stringify(position)} cannot be true: ${cause}`,
    );
    expect(letters[0]?.headers[HEADERS.originPosition]).toBe(position);
    expect(store.contents().meta?.applied).toEqual({});
  });

  it('that an earlier version has taken for true no longer silence the source', async () => {
    const store = new MemoryPartitionStore();
    await store.acquire('before');
    const applied = { 'upstream/0': { offset: 999_999_999_999, ordinal: 0 } };
    await store.commit(
      { owner: 'before', next: 0, commits: 0 },
      {
        meta: { next: 0, ordinal: 0, commits: 0, logTimeMs: 0, sequence: 0, inForce: [], applied },
        states: [],
        timers: [],
        outbox: undefined,
        acknowledged: [],
      },
    );
    const { records } = toRecords([1, 2, 3].map(() => ({ body: { value: 1 }, position: undefined })));
    const harness = createHarness({
      input: records,
      store,
      producer: new RecordingProducer(),
      owner: 'one',
      sourceEnd: SOURCE_END,
    });
    await harness.drain();
    await harness.worker.stop();
    expect(JSON.parse(store.contents().states.a ?? '{}')).toMatchObject({ sum: 3 });
    expect(store.contents().meta?.applied).toEqual({ 'upstream/0': { offset: 2, ordinal: 0 } });
  });

  it('are judged by an end that is read only when a position lies beyond the last one', async () => {
    const reads: string[] = [];
    const ends = new SourceEnds(async (topic) => {
      reads.push(topic);
      return new Map([[0, { low: 0, high: reads.length * 10 }]]);
    });
    const cover = (...offsets: number[]) =>
      ends.cover(
        offsets.map((offset) => ({
          record: { headers: {} } as LogRecord,
          origin: 'source',
          position: { source: 'upstream/0', offset, ordinal: 0 },
          topic: 'upstream-in',
          partition: 0,
          below: undefined,
        })),
        {},
      );
    for (const offsets of [[0, 1, 9], [3], [9, 10], [19], [500], [501, 502]]) await cover(...offsets);
    expect(reads).toHaveLength(4);
    expect(ends.endOf('upstream-in', 0)).toBe(40);
  });
});

function isPlausible(headers: Readonly<Record<string, string>>): boolean {
  const match = /^upstream\/0:(\d+):0$/.exec(headers[HEADERS.position] ?? '');
  return match !== null && Number(match[1]) < SOURCE_END;
}
