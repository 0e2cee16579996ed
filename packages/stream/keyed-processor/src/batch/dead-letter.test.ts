import { describe, expect, it } from '@jest/globals';
import { encodePosition, HEADERS } from '@perennial/contracts';
import type { LogRecord, OutgoingRecord } from '@perennial/kafka';
import { must } from '@perennial/kernel';
import type { ProcessorDefinition } from '../definition.js';
import { EMPTY_META, type PartitionMeta } from '../store/store.js';
import { processBatch } from './batch.js';
import { type DeadLetter, parseDeadLetter, type RecordContent, toRedrivenRecord } from './dead-letter.js';
import { decodeBatch } from './decode-batch.js';
import { locateRecord } from './located-record.js';
import { TRUSTED_ENDS } from './source-ends.js';

/*
 * A processor has a defect that is fixed later. Its dead letters are then redriven, and the state must be as if each
 * record had arrived at that time.
 */

interface Count {
  readonly sum: number;
  readonly woken: number;
  readonly wakeAtMs: number | undefined;
}

interface Fault {
  readonly values?: number;
  readonly timers?: true;
}

/** Adds values; wakes at a time that the record names. `fault` is what the current build fails on. */
function createCounting(fault: Fault): ProcessorDefinition<Count, { add: number; wakeAtMs?: number }> {
  return {
    name: 'counting',
    inputTopic: 'in',
    sources: [{ processor: 'upstream', topic: 'upstream-in' }],
    codec: {
      encode: (state) => Buffer.from(JSON.stringify(state)),
      decode: (bytes) => JSON.parse(bytes.toString()) as Count,
      timerAtMs: (state) => state.wakeAtMs,
    },
    decode({ key, value }) {
      const body = JSON.parse(String(value)) as { tick?: number; add: number; wakeAtMs?: number };
      if (body.tick !== undefined) return { kind: 'tick', timeMs: body.tick };
      return { kind: 'record', key: String(key), input: body };
    },
    forward: () => undefined,
    step({ state = { sum: 0, woken: 0, wakeAtMs: undefined }, cause, context }) {
      if (cause.kind === 'timer') {
        if (fault.timers) throw new Error('this build cannot wake');
        const value = Buffer.from(`woken at ${context.logTimeMs}`);
        const after = { ...state, woken: state.woken + 1, wakeAtMs: undefined };
        return { state: after, outputs: [{ topic: 'out', value }] };
      }
      if (cause.input.add === fault.values) throw new Error(`this build cannot add ${fault.values}`);
      const wakeAtMs = cause.input.wakeAtMs ?? state.wakeAtMs;
      return { state: { ...state, sum: state.sum + cause.input.add, wakeAtMs }, outputs: [] };
    },
  };
}

/** One partition over several builds: its dead letters and its states. */
function createPartition() {
  const states = new Map<string, Count>();
  const timers = new Map<string, number>();
  const outputs: OutgoingRecord[] = [];
  let meta: PartitionMeta = EMPTY_META;
  let end = 0;
  return {
    states,
    outputs,
    async take(fault: Fault, ...records: ReadonlyArray<RecordContent & Pick<LogRecord, 'unreadable'>>) {
      const definition = createCounting(fault);
      const input = records.map(
        (record): LogRecord => ({ ...record, topic: 'in', partition: 0, offset: end++, timestampMs: 0 }),
      );
      const result = await processBatch(definition, {
        partition: 0,
        partitions: 1,
        deadLetterTopic: 'dead',
        meta,
        entries: decodeBatch(
          definition,
          input.map((record) => locateRecord(definition, record)),
          meta,
          TRUSTED_ENDS,
        ),
        states,
        timers: { timers: [...timers].map(([key, dueAtMs]) => ({ key, dueAtMs, state: null })), truncated: false },
        limits: { batchItemsMax: 100, outputBytesMax: 1000 },
      });
      meta = result.meta;
      for (const [key, state] of result.states) if (state !== undefined) states.set(key, state);
      for (const [key, dueAtMs] of result.timers) {
        if (dueAtMs === null) timers.delete(key);
        else timers.set(key, dueAtMs);
      }
      outputs.push(...result.outputs);
      return result.counts;
    },
    readLetters(): DeadLetter[] {
      const letters = outputs.filter(({ topic }) => topic === 'dead');
      return letters.map((letter, offset) =>
        must(parseDeadLetter({ ...letter, offset, timestampMs: 5 }), 'a dead letter'),
      );
    },
  };
}

function toContent(key: string | null, body: unknown, headers: Record<string, string> = {}): RecordContent {
  return { key: key === null ? null : Buffer.from(key), value: Buffer.from(JSON.stringify(body)), headers };
}

function toRedriven(letter: DeadLetter, once = false): OutgoingRecord {
  return toRedrivenRecord(letter, letter.content as RecordContent, { once });
}

const upstream = encodePosition({ source: 'upstream/0', offset: 7, ordinal: 0 });

describe('a dead letter', () => {
  it('keeps the record whole, with cause, origin and the position that it came with', async () => {
    const partition = createPartition();
    const headers = { [HEADERS.position]: upstream, [HEADERS.traceparent]: '00-aa-bb-01', mine: 'kept' };
    await partition.take({ values: 5 }, toContent('a', { add: 5 }, headers));
    expect(partition.readLetters()).toEqual([
      {
        logPosition: { topic: 'dead', partition: 0, offset: 0 },
        id: expect.any(String),
        position: { source: 'counting/0', offset: 0, ordinal: 0 },
        timestampMs: 5,
        processor: 'counting',
        cause: 'this build cannot add 5',
        origin: { topic: 'in', partition: 0, offset: 0 },
        originPosition: upstream,
        content: toContent('a', { add: 5 }, { [HEADERS.traceparent]: '00-aa-bb-01', mine: 'kept' }),
      },
    ]);
    expect(partition.outputs[0]?.headers[HEADERS.position]).toBe('counting/0:0:0');
  });

  it('has the id of its record, which its writer may have published twice, and not of another', async () => {
    const partition = createPartition();
    const poison = (text: string, position?: string): RecordContent => ({
      key: Buffer.from('a'),
      value: Buffer.from(text),
      headers: position === undefined ? {} : { [HEADERS.position]: position },
    });
    const large = 'x'.repeat(2_000);
    const other = encodePosition({ source: 'upstream/0', offset: 8, ordinal: 0 });
    const records = [
      ...[poison('no record', upstream), poison('no record', upstream)],
      ...[poison('another', upstream), poison('no record', other)],
      ...[poison(large, upstream), poison(large, upstream)],
      ...[poison('no record'), poison('no record')],
    ];
    await partition.take({}, ...records);
    const ids = partition.readLetters().map(({ id }) => id);
    expect(ids.map((id) => ids.indexOf(id))).toEqual([0, 0, 2, 3, 4, 4, 6, 7]);
    // A copy of the letter has its id too, and a letter of an earlier version the same.
    const [letter] = partition.outputs;
    const { [HEADERS.letterId]: _, ...headers } = must(letter, 'a letter').headers;
    const old = { ...must(letter, 'a letter'), headers, offset: 0, timestampMs: 5 };
    expect(parseDeadLetter(old)?.id).toBe(ids[0]);
  });

  it('is made of what the log could not give, without a look at it', async () => {
    const partition = createPartition();
    const unreadable = {
      reason: 'too_many_headers',
      message: 'invalid record: it has 999 headers',
      firstOffset: 0,
    } as const;
    const counts = await partition.take({}, { ...toContent('a', { add: 1 }), unreadable }, toContent('a', { add: 2 }));
    expect(counts).toMatchObject({ poison: 1, applied: 1 });
    expect(partition.readLetters()).toMatchObject([{ cause: unreadable.message, content: toContent('a', { add: 1 }) }]);
    expect(partition.states.get('a')?.sum).toBe(2);
  });

  it.each([
    ['value', toContent('a', 'x'.repeat(990))],
    ['key', toContent('k'.repeat(990), { add: 5 })],
    ['headers', toContent('a', { add: 5 }, { long: 'x'.repeat(990) })],
  ])('leaves out what is too large for a record of that topic (%s), and the partition goes on', async (_, content) => {
    const partition = createPartition();
    const counts = await partition.take({ values: 5 }, { ...content, value: Buffer.from(`!${content.value}`) });
    expect(counts.poison).toBe(1);
    const letter = must(partition.readLetters()[0], 'letter');
    expect(letter.origin).toEqual({ topic: 'in', partition: 0, offset: 0 });
    expect((letter.content as { omittedBytes: number }).omittedBytes).toBeGreaterThan(990);
    expect(await partition.take({}, toContent('a', { add: 1 }))).toMatchObject({ applied: 1 });
  });

  it('is none when no processor wrote it', () => {
    const record = { ...toContent('a', 1), topic: 'dead', partition: 0, offset: 0, timestampMs: 0 };
    expect(parseDeadLetter(record)).toBeUndefined();
  });
});

describe('a record put back', () => {
  it('is applied although its position was, with its own key, bytes and headers', async () => {
    const partition = createPartition();
    const poison = toContent('a', { add: 5 }, { [HEADERS.position]: upstream, mine: 'kept' });
    await partition.take({ values: 5 }, toContent('a', { add: 1 }), poison);
    const redriven = toRedriven(must(partition.readLetters()[0], 'letter'));
    expect(redriven).toEqual({
      topic: 'in',
      partition: 0,
      ...poison,
      headers: { mine: 'kept', [HEADERS.redrivenFrom]: 'dead/0:0' },
    });
    expect(await partition.take({}, redriven)).toMatchObject({ applied: 1, repeated: 0 });
    expect(partition.states.get('a')?.sum).toBe(6);
    // With its old position it would have been dropped as a repeat.
    expect(await partition.take({}, poison)).toMatchObject({ applied: 0, repeated: 1 });
  });

  it('is a repeat the second time when put back once only', async () => {
    const partition = createPartition();
    await partition.take({ values: 5 }, toContent('a', { add: 5 }), toContent('b', { add: 5 }));
    const redriven = partition.readLetters().map((letter) => toRedriven(letter, true));
    expect(await partition.take({}, ...redriven)).toMatchObject({ applied: 2 });
    expect(await partition.take({}, ...redriven)).toMatchObject({ applied: 0, repeated: 2 });
    // A copy of the first letter, after the second.
    const copy = {
      ...must(partition.readLetters()[0], 'letter'),
      logPosition: { topic: 'dead', partition: 0, offset: 2 },
    };
    expect(await partition.take({}, toRedriven(copy, true))).toMatchObject({ applied: 0, repeated: 1 });
  });

  it('that is poison still comes back as a letter of its own, which leads to the first', async () => {
    const partition = createPartition();
    await partition.take({ values: 5 }, toContent('a', { add: 5 }));
    await partition.take({ values: 5 }, toRedriven(must(partition.readLetters()[0], 'letter'), true));
    const [, second] = partition.readLetters();
    expect(second).toMatchObject({
      origin: { topic: 'in', partition: 0, offset: 1 },
      content: { headers: { [HEADERS.redrivenFrom]: 'dead/0:0' } },
    });
    const again = toRedriven(must(second, 'letter'), true);
    expect(await partition.take({}, again)).toMatchObject({ applied: 1, repeated: 0 });
    expect(again.headers[HEADERS.redrivenFrom]).toBe('dead/0:1');
  });
});

describe('a timer whose step threw', () => {
  async function letTimerFail() {
    const partition = createPartition();
    await partition.take(
      { timers: true },
      toContent('a', { add: 1, wakeAtMs: 10 }),
      toContent('b', { add: 1, wakeAtMs: 99 }),
      toContent(null, { tick: 20 }),
      toContent(null, { tick: 30 }),
    );
    const [letter, ...more] = partition.readLetters();
    expect(more).toEqual([]);
    return { partition, letter: must(letter, 'letter') };
  }

  it('is dead-lettered as the tick under the key of the profile, and is not due again by itself', async () => {
    const { partition, letter } = await letTimerFail();
    expect(letter.content).toEqual(toContent('a', { tick: 20 }));
    expect(await partition.take({}, toContent(null, { tick: 40 }))).toMatchObject({ fired: 0, poison: 0 });
  });

  it('fires once when it is put back, for that profile alone, at the log time there is', async () => {
    const { partition, letter } = await letTimerFail();
    expect(await partition.take({}, toRedriven(letter))).toMatchObject({ fired: 1, poison: 0 });
    expect(partition.states.get('a')).toMatchObject({ woken: 1, wakeAtMs: undefined });
    expect(partition.states.get('b')).toMatchObject({ woken: 0, wakeAtMs: 99 });
    expect(partition.outputs.at(-1)).toMatchObject({ topic: 'out', key: Buffer.from('a') });
    expect(String(partition.outputs.at(-1)?.value)).toBe('woken at 30');
    expect(await partition.take({}, toRedriven(letter))).toMatchObject({ fired: 0, poison: 0 });
  });

  it('does nothing when the profile has moved on', async () => {
    const { partition, letter } = await letTimerFail();
    await partition.take({}, toContent('a', { add: 1, wakeAtMs: 50 }));
    expect(await partition.take({}, toRedriven(letter))).toMatchObject({ fired: 0 });
    expect(await partition.take({}, toContent(null, { tick: 50 }))).toMatchObject({ fired: 1 });
  });

  it('comes back as a letter of its own while it fails still', async () => {
    const { partition, letter } = await letTimerFail();
    expect(await partition.take({ timers: true }, toRedriven(letter))).toMatchObject({ fired: 0, poison: 1 });
    expect(partition.readLetters()[1]?.content).toMatchObject({ key: Buffer.from('a') });
  });
});
