import type { LogRecord } from '@perennial/kafka';
import { must } from '@perennial/kernel';
import type { ProcessorDefinition, StateCodec, StepContext, StepItem, StepResult } from '@perennial/keyed-processor';

/** States of a wrapper, which hold those of the processor inside. */
interface WrappedStates<Stored, State> {
  readonly codec: Pick<StateCodec<Stored>, 'encode' | 'decode'>;
  /** The state as the processor inside has it. */
  readonly toState: (stored: Stored | undefined) => State | undefined;
  /** The state whose timer counts; undefined for none. */
  readonly toTimed: (stored: Stored) => State | undefined;
  /** What is stored after a step of the processor inside. */
  readonly toStored: (state: State | undefined, before: Stored | undefined) => Stored | undefined;
}

/** A record of the wrapper's own, at its step. */
export interface OwnItem<Stored, Own> {
  readonly state: Stored | undefined;
  readonly input: Own;
  readonly context: StepContext;
}

export interface Wrapper<Stored, State, Input, Own, Evidence = unknown> {
  readonly states: WrappedStates<Stored, State>;
  /** Undefined for a record of the processor inside, which nearly every one is: so it looks at the first bytes first. */
  readonly decode: (value: Buffer) => Own | undefined;
  readonly isOwn: (input: Input | Own) => input is Own;
  /** Records of its own that need to know what is in force: they get the evidence of a timer. None where it is absent. */
  readonly needsEvidence?: (input: Own) => boolean;
  /** The evidence is undefined for records that need none. */
  readonly step: (item: OwnItem<Stored, Own>, evidence: Evidence | undefined) => StepResult<Stored>;
}

/**
 * A processor around another one: it takes records of its own, which the one inside never sees, and keeps with its states
 * something of its own. All else (records, evidence, timers) is that of the one inside.
 */
export function wrapProcessor<Stored, State, Input, Evidence, Own>(
  inside: ProcessorDefinition<State, Input, Evidence>,
  { states, decode, isOwn, needsEvidence, step }: Wrapper<Stored, State, Input, Own, Evidence>,
): ProcessorDefinition<Stored, Input | Own, Evidence | undefined> {
  const toInside = ({ state, cause, context }: StepItem<Stored, Input | Own>): StepItem<State, Input> | undefined => {
    if (cause.kind === 'timer') return { state: states.toState(state), cause, context };
    if (isOwn(cause.input)) return undefined;
    return { state: states.toState(state), cause: { kind: 'record', input: cause.input }, context };
  };
  const toPrepared = (item: StepItem<Stored, Input | Own>): StepItem<State, Input> | undefined => {
    const { state, cause, context } = item;
    if (cause.kind === 'timer' || !isOwn(cause.input)) return toInside(item);
    if (needsEvidence?.(cause.input) !== true) return undefined;
    return { state: states.toState(state), cause: { kind: 'timer', dueAtMs: context.logTimeMs }, context };
  };
  return {
    ...inside,
    codec: {
      ...states.codec,
      timerAtMs(stored) {
        const state = states.toTimed(stored);
        return state === undefined ? undefined : inside.codec.timerAtMs(state);
      },
    },
    decode(record: LogRecord) {
      if (record.key === null || record.value === null) return inside.decode(record);
      const input = decode(record.value);
      return input === undefined ? inside.decode(record) : { kind: 'record', key: record.key.toString(), input };
    },
    async prepare(items) {
      const prepared = items.map(toPrepared);
      const evidence = (await inside.prepare?.(prepared.flatMap((item) => item ?? []))) ?? [];
      let next = 0;
      return prepared.map((item) => (item === undefined ? undefined : evidence[next++]));
    },
    step(item, evidence) {
      const { state, cause, context } = item;
      if (cause.kind === 'record' && isOwn(cause.input)) return step({ state, input: cause.input, context }, evidence);
      // What `prepare` gave for this item.
      const result = inside.step(must(toInside(item), 'an item'), evidence as Evidence);
      return { ...result, state: states.toStored(result.state, state) };
    },
  };
}
