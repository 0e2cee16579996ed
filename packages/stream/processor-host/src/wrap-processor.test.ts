import { describe, expect, it } from '@jest/globals';
import type { LogRecord } from '@perennial/kafka';
import type { ProcessorDefinition, StepContext } from '@perennial/keyed-processor';
import { type Wrapper, wrapProcessor } from './wrap-processor.js';

interface Own {
  readonly note: string;
}
/** What the wrapper keeps with the count of the processor inside. */
interface Stored {
  readonly notes: readonly string[];
  readonly count: number | undefined;
}

const prepared: unknown[] = [];
const inside: ProcessorDefinition<number, string, string> = {
  name: 'inside',
  inputTopic: 'in',
  sources: [],
  codec: { encode: () => Buffer.of(), decode: () => 0, timerAtMs: (count) => count * 10 },
  decode: ({ key, value }) => ({ kind: 'record', key: String(key), input: String(value) }),
  forward: () => undefined,
  prepare: async (items) => {
    prepared.push(...items);
    return items.map(({ cause }) => (cause.kind === 'timer' ? 'of a timer' : `of ${cause.input}`));
  },
  step: ({ state = 0 }, evidence) => ({ state: state + 1, outputs: [{ topic: 'out', value: Buffer.from(evidence) }] }),
};

const wrapper: Wrapper<Stored, number, string, Own, string> = {
  states: {
    codec: { encode: () => Buffer.of(), decode: () => ({ notes: [], count: undefined }) },
    toState: (stored) => stored?.count,
    toTimed: ({ notes, count }) => (notes.includes('quiet') ? undefined : count),
    toStored: (count, before) => ({ notes: before?.notes ?? [], count }),
  },
  decode: (value) => (value[0] === 0 ? { note: value.subarray(1).toString() } : undefined),
  isOwn: (input): input is Own => typeof input !== 'string',
  step: ({ state, input }) => ({
    state: { count: state?.count, notes: [...(state?.notes ?? []), input.note] },
    outputs: [],
  }),
};
const wrapped = wrapProcessor(inside, wrapper);

const context = { key: 'a' } as StepContext;
const record = (input: string | Own) => ({ kind: 'record', input }) as const;
const stored: Stored = { notes: ['first'], count: 4 };

describe('wrapProcessor', () => {
  it.each([
    ['its own', Buffer.from('\0hello'), { note: 'hello' }],
    ['those of the processor inside', Buffer.from('hello'), 'hello'],
  ])('decodes records: %s', (_whose, value, input) => {
    const read = { key: Buffer.from('a'), value } as unknown as LogRecord;
    expect(wrapped.decode(read)).toEqual({ kind: 'record', key: 'a', input });
  });

  it('prepares no evidence for its own records, and gives each other item its own', async () => {
    const causes = [
      record({ note: 'x' }),
      record('one'),
      { kind: 'timer', dueAtMs: 1 } as const,
      record({ note: 'y' }),
    ];
    const evidence = await wrapped.prepare?.(causes.map((cause) => ({ state: stored, cause, context })));
    expect(evidence).toEqual([undefined, 'of one', 'of a timer', undefined]);
    expect(prepared).toMatchObject([
      { state: 4, cause: record('one') },
      { state: 4, cause: { kind: 'timer' } },
    ]);
  });

  it('prepares evidence as for a timer for those of its own records that need it', async () => {
    const seen: unknown[] = [];
    const needy = wrapProcessor<Stored, number, string, string, Own>(inside, {
      ...wrapper,
      needsEvidence: ({ note }) => note === 'needs',
      step: ({ state }, evidence) => {
        seen.push(evidence);
        return { state, outputs: [] };
      },
    });
    const causes = [record({ note: 'x' }), record({ note: 'needs' }), record('one')];
    const evidence = await needy.prepare?.(causes.map((cause) => ({ state: stored, cause, context })));
    expect(evidence).toEqual([undefined, 'of a timer', 'of one']);
    needy.step({ state: stored, cause: record({ note: 'needs' }), context }, evidence?.[1]);
    expect(seen).toEqual(['of a timer']);
  });

  it('steps its own records itself, and stores with the state inside what it keeps', () => {
    expect(wrapped.step({ state: stored, cause: record({ note: 'next' }), context }, undefined)).toEqual({
      state: { notes: ['first', 'next'], count: 4 },
      outputs: [],
    });
    const { state, outputs } = wrapped.step({ state: stored, cause: record('one'), context }, 'of one');
    expect(state).toEqual({ notes: ['first'], count: 5 });
    expect(outputs.map(({ value }) => value.toString())).toEqual(['of one']);
  });

  it('has the timer of the state that it says', () => {
    expect(wrapped.codec.timerAtMs(stored)).toBe(40);
    expect(wrapped.codec.timerAtMs({ ...stored, notes: ['quiet'] })).toBeUndefined();
    expect(wrapped.codec.timerAtMs({ notes: [], count: undefined })).toBeUndefined();
  });
});
