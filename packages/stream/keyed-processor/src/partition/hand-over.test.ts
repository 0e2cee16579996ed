import { describe, expect, it } from '@jest/globals';
import { encodePosition, HEADERS, toPartition } from '@perennial/contracts';
import type { LogRecord } from '@perennial/kafka';
import { processBatch } from '../batch/batch.js';
import { decodeBatch } from '../batch/decode-batch.js';
import { locateRecord } from '../batch/located-record.js';
import { TRUSTED_ENDS } from '../batch/source-ends.js';
import type { ProcessorDefinition } from '../definition.js';
import { EMPTY_META, type PartitionMeta } from '../store/store.js';

/*
 * A hand-over: the state of one profile moves to another by a record on the processor's own input topic, under the
 * other profile's key, so usually on another partition. It carries its position like every output, and is applied once.
 */

const PARTITIONS = 8;
const INPUT = 'in';

/** Adds numbers; `{"moveTo": key}` empties the profile and hands its sum over. */
const moving: ProcessorDefinition<number, { add?: number; moveTo?: string }> = {
  name: 'moving',
  inputTopic: INPUT,
  sources: [{ processor: 'moving', topic: INPUT, partition: 'any' }],
  codec: { encode: (sum) => Buffer.from(String(sum)), decode: Number, timerAtMs: () => undefined },
  decode: ({ key, value }) => ({ kind: 'record', key: String(key), input: JSON.parse(String(value)) }),
  forward: () => undefined,
  step({ state = 0, cause }) {
    if (cause.kind === 'timer') return { state, outputs: [] };
    const { add = 0, moveTo } = cause.input;
    if (moveTo === undefined) return { state: state + add, outputs: [] };
    const value = Buffer.from(JSON.stringify({ add: state }));
    return { state: undefined, outputs: [{ topic: INPUT, key: moveTo, partition: 'by-key', value }] };
  },
};

async function run(
  partition: number,
  records: readonly LogRecord[],
  states: ReadonlyMap<string, number>,
  meta = EMPTY_META,
) {
  return processBatch(moving, {
    partition,
    partitions: PARTITIONS,
    deadLetterTopic: 'dead',
    meta,
    entries: decodeBatch(
      moving,
      records.map((record) => locateRecord(moving, record)),
      meta,
      TRUSTED_ENDS,
    ),
    states,
    timers: { timers: [], truncated: false },
    limits: { batchItemsMax: 100, outputBytesMax: 1000 },
  });
}

function toRecord(
  partition: number,
  offset: number,
  key: string,
  body: unknown,
  headers: Record<string, string> = {},
): LogRecord {
  return {
    topic: INPUT,
    partition,
    offset,
    timestampMs: 0,
    key: Buffer.from(key),
    value: Buffer.from(JSON.stringify(body)),
    headers,
  };
}

describe('a hand-over', () => {
  const from = toPartition('anna', PARTITIONS);
  const to = toPartition('ursula', PARTITIONS);

  it('leaves the one profile and goes to the partition of the other, with its position', async () => {
    const { states, outputs } = await run(
      from,
      [toRecord(from, 0, 'anna', { moveTo: 'ursula' })],
      new Map([['anna', 7]]),
    );
    expect([...states]).toEqual([['anna', undefined]]);
    expect(outputs).toEqual([
      {
        topic: INPUT,
        partition: to,
        key: Buffer.from('ursula'),
        value: Buffer.from('{"add":7}'),
        headers: { [HEADERS.position]: `moving/${from}:0:0` },
      },
    ]);
  });

  it('is applied once, however often it arrives, between records without a position', async () => {
    const position = encodePosition({ source: `moving/${from}`, offset: 0, ordinal: 0 });
    const moved = (offset: number) => toRecord(to, offset, 'ursula', { add: 7 }, { [HEADERS.position]: position });
    const first = await run(to, [toRecord(to, 0, 'ursula', { add: 1 }), moved(1), moved(2)], new Map());
    expect(first.states.get('ursula')).toBe(8);
    expect(first.counts).toMatchObject({ applied: 2, repeated: 1 });
    const meta: PartitionMeta = first.meta;
    expect(meta.applied).toEqual({ [`moving/${from}`]: { offset: 0, ordinal: 0 } });
    const second = await run(to, [moved(3), toRecord(to, 4, 'ursula', { add: 1 })], new Map([['ursula', 8]]), meta);
    expect(second.states.get('ursula')).toBe(9);
  });
});
