import { describe, expect, it } from '@jest/globals';
import { HEADERS } from '@perennial/contracts';
import type { LogRecord, OutgoingRecord } from '@perennial/kafka';
import { must } from '@perennial/kernel';
import fc from 'fast-check';
import type { ProcessorDefinition } from '../definition.js';
import { EMPTY_META, type PartitionMeta } from '../store/store.js';
import { processBatch } from './batch.js';
import { parseDeadLetter } from './dead-letter.js';
import { decodeBatch } from './decode-batch.js';
import { locateRecord } from './located-record.js';
import { TRUSTED_ENDS } from './source-ends.js';

/*
 * A step that could do only a part of its work: its record is kept as a dead letter, and all else of the step counts.
 */

interface Count {
  readonly sum: number;
  readonly wakeAtMs: number | undefined;
}

/** Adds values, and says so; wakes 10 ms later, again and again. A sum divisible by 3 is work done in part. */
const partial: ProcessorDefinition<Count, number> = {
  name: 'partial',
  inputTopic: 'in',
  sources: [],
  codec: {
    encode: (state) => Buffer.from(JSON.stringify(state)),
    decode: (bytes) => JSON.parse(bytes.toString()) as Count,
    timerAtMs: (state) => state.wakeAtMs,
  },
  decode({ key, value }) {
    const body = JSON.parse(String(value)) as { tick?: number; add: number };
    return body.tick === undefined
      ? { kind: 'record', key: String(key), input: body.add }
      : { kind: 'tick', timeMs: body.tick };
  },
  forward: () => undefined,
  step({ state, cause, context }) {
    const sum = (state?.sum ?? 0) + (cause.kind === 'record' ? cause.input : 1);
    return {
      state: { sum, wakeAtMs: context.logTimeMs + 10 },
      outputs: [{ topic: 'out', value: Buffer.from(`${context.key} ${sum}`) }],
      deadLetterCause: sum % 3 === 0 ? `${sum} is divisible by 3` : undefined,
    };
  },
};

type Body = { readonly key: string; readonly add: number } | { readonly tick: number };

async function runInBatches(bodies: readonly Body[], size: number, batchItemsMax = 100) {
  const states = new Map<string, Count>();
  const timers = new Map<string, number>();
  const outputs: OutgoingRecord[] = [];
  let counts = { applied: 0, poison: 0, fired: 0 };
  let meta: PartitionMeta = EMPTY_META;
  const records = bodies.map((body, offset): LogRecord => {
    const key = 'key' in body ? Buffer.from(body.key) : null;
    return {
      topic: 'in',
      partition: 0,
      offset,
      timestampMs: 0,
      key,
      value: Buffer.from(JSON.stringify(body)),
      headers: {},
    };
  });
  while (meta.next < records.length) {
    const result = await processBatch(partial, {
      partition: 0,
      partitions: 1,
      deadLetterTopic: 'dead',
      meta,
      entries: decodeBatch(
        partial,
        records.slice(meta.next, meta.next + size).map((record) => locateRecord(partial, record)),
        meta,
        TRUSTED_ENDS,
      ),
      states,
      timers: { timers: [...timers].map(([key, dueAtMs]) => ({ key, dueAtMs, state: null })), truncated: false },
      limits: { batchItemsMax, outputBytesMax: 1000 },
    });
    meta = result.meta;
    for (const [key, state] of result.states) states.set(key, must(state, 'state'));
    for (const [key, dueAtMs] of result.timers) timers.set(key, must(dueAtMs, 'every state wakes'));
    outputs.push(...result.outputs);
    const { applied, poison, fired } = result.counts;
    counts = { applied: counts.applied + applied, poison: counts.poison + poison, fired: counts.fired + fired };
  }
  return { states, timers, outputs, counts };
}

const toLine = ({ topic, key, value, headers }: OutgoingRecord) =>
  `${headers[HEADERS.position]} ${topic} ${key} ${value} ${headers[HEADERS.deadLetterCause] ?? ''}`;

describe('a step that did a part of its work', () => {
  it('keeps state, outputs and timer, and its record becomes a dead letter after its outputs', async () => {
    const { states, timers, outputs, counts } = await runInBatches([{ key: 'a', add: 3 }], 1);
    expect(states.get('a')).toEqual({ sum: 3, wakeAtMs: 10 });
    expect(timers.get('a')).toBe(10);
    expect(outputs.map(toLine)).toEqual([
      'partial/0:0:0 out a a 3 ',
      'partial/0:0:1 dead a {"key":"a","add":3} 3 is divisible by 3',
    ]);
    expect(counts).toEqual({ applied: 0, poison: 1, fired: 0 });
  });

  it('of a timer keeps the next timer; the letter is the tick of that profile alone', async () => {
    const bodies = [{ key: 'a', add: 2 }, { key: 'b', add: 5 }, { tick: 10 }];
    const { timers, outputs, counts } = await runInBatches(bodies, 3);
    expect([...timers]).toEqual([
      ['a', 20],
      ['b', 20],
    ]);
    expect(outputs.slice(2).map(toLine)).toEqual([
      'partial/0:2:0 out a a 3 ',
      'partial/0:2:1 dead a {"tick":10} 3 is divisible by 3',
      'partial/0:2:2 out b b 6 ',
      'partial/0:2:3 dead b {"tick":10} 6 is divisible by 3',
    ]);
    expect(counts).toEqual({ applied: 2, poison: 2, fired: 0 });
    const letter = must(outputs[3], 'letter');
    expect(parseDeadLetter({ ...letter, offset: 0, timestampMs: 0 })).toMatchObject({
      cause: '3 is divisible by 3',
      content: { key: Buffer.from('a') },
    });
  });

  it('gives the same however the log is cut into batches and commits', async () => {
    const body = fc.oneof(
      fc.record({ key: fc.constantFrom('a', 'b', 'c'), add: fc.integer({ min: 1, max: 9 }) }),
      fc.record({ tick: fc.integer({ min: 0, max: 200 }) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(body, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 7 }),
        async (bodies, size, itemsMax) => {
          const whole = await runInBatches(bodies, bodies.length, 1_000);
          const cut = await runInBatches(bodies, size, itemsMax);
          expect(cut.outputs.map(toLine)).toEqual(whole.outputs.map(toLine));
          expect(cut.states).toEqual(whole.states);
          expect(cut.counts).toEqual(whole.counts);
        },
      ),
      { seed: 15, numRuns: 150 },
    );
  });
});
