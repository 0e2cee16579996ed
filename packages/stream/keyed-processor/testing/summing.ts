import type { PositionSource, ProcessorDefinition } from '@perennial/keyed-processor';

/** A small processor that exercises all features: sums per key, emits each sum, wakes 10 ms after the last value. */
export interface Sum {
  readonly sum: number;
  readonly wakeAtMs: number | null;
  readonly woken: number;
}

export const OUT = 'out';
const WAKE_AFTER_MS = 10;
const REMOVABLE_SUM = 100;
/** The factor of a rollout that is rejected. */
export const REJECTED = 13;

/** A value to add, or the removal of a profile whose sum is large: the effect depends on the state. */
export type SumInput = number | 'remove';

export const summing = createSumming({ inputTopic: 'in', outputTopic: OUT });

export function createSumming(topics: {
  inputTopic: string;
  outputTopic: string;
  /** Default: a processor `upstream`. */
  sources?: readonly PositionSource[];
}): ProcessorDefinition<Sum, SumInput, number> {
  return {
    name: 'summing',
    inputTopic: topics.inputTopic,
    sources: topics.sources ?? [{ processor: 'upstream', topic: 'upstream-in' }],
    codec: {
      encode: (state) => Buffer.from(JSON.stringify(state)),
      decode: (bytes) => JSON.parse(bytes.toString()) as Sum,
      timerAtMs: (state) => state.wakeAtMs ?? undefined,
    },
    decode(record) {
      const body = JSON.parse(String(record.value)) as {
        tick?: number;
        value?: SumInput;
        rollout?: number;
      };
      if (body.tick !== undefined) return { kind: 'tick', timeMs: body.tick };
      if (body.rollout !== undefined)
        return { kind: 'rollout', rollout: { kind: 'factor', number: body.rollout, hash: '' } };
      return { kind: 'record', key: String(record.key), input: body.value ?? 0 };
    },
    loadRollout: async ({ number }) => (number === REJECTED ? { reason: 'this one is rejected' } : undefined),
    forward: (control) => ({ topic: topics.outputTopic, value: Buffer.from(JSON.stringify(control)) }),
    prepare: async (items) =>
      items.map(({ cause }) => (cause.kind === 'record' && cause.input !== 'remove' ? cause.input * 2 : -1)),
    step({ state, cause, context }, doubled) {
      if (cause.kind === 'record' && cause.input === 'remove') {
        const removed = (state?.sum ?? 0) >= REMOVABLE_SUM;
        const value = Buffer.from(JSON.stringify({ key: context.key, removed, sum: state?.sum }));
        return { state: removed ? undefined : state, outputs: [{ topic: topics.outputTopic, value }] };
      }
      if (cause.kind === 'record' && Number(cause.input) < 0) throw new Error('negative values are poison');
      const factor = context.inForce.get('factor')?.number ?? 1;
      const before: Sum = state ?? { sum: 0, wakeAtMs: null, woken: 0 };
      const after: Sum =
        cause.kind === 'record'
          ? { ...before, sum: before.sum + (doubled / 2) * factor, wakeAtMs: context.logTimeMs + WAKE_AFTER_MS }
          : { ...before, woken: before.woken + 1, wakeAtMs: null };
      const output = { key: context.key, at: context.logTimeMs, cause: cause.kind, ...after };
      return { state: after, outputs: [{ topic: topics.outputTopic, value: Buffer.from(JSON.stringify(output)) }] };
    },
  };
}
