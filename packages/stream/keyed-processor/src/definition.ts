import type { Control, Rollout } from '@perennial/contracts';
import type { LogRecord } from '@perennial/kafka';

/** What a record of the input topic is. A record that is neither makes `decode` throw, and is dead-lettered. */
export type Decoded<Input> = { readonly kind: 'record'; readonly key: string; readonly input: Input } | Control;

/** What a step works on: one record, or one timer of one profile that has come due. */
export type Cause<Input> =
  | { readonly kind: 'record'; readonly input: Input }
  | { readonly kind: 'timer'; readonly dueAtMs: number };

/** All that a step may know besides its state: nothing here depends on a clock, the environment or where a batch was cut. */
export interface StepContext {
  readonly key: string;
  readonly partition: number;
  /** Offset of the causing record (for a timer: of the tick), and the first ordinal its outputs get. */
  readonly offset: number;
  readonly ordinal: number;
  /** Highest tick so far on this partition, 0 before the first. */
  readonly logTimeMs: number;
  /** What is in force on this partition, by kind. */
  readonly inForce: ReadonlyMap<string, Rollout>;
}

/** One unit of a batch. */
export interface StepItem<State, Input> {
  /** The profile's state before; undefined for one never seen. Never to be changed in place. */
  readonly state: State | undefined;
  readonly cause: Cause<Input>;
  readonly context: StepContext;
}

/** Why what a rollout names cannot come into force: what was in force stays so. */
export interface Rejection {
  readonly reason: string;
}

/** A record that a step emits. Its position is added as a header by the processor. */
export interface Output {
  readonly topic: string;
  readonly value: Buffer;
  /** Default: the profile's key. A hand-over to another profile names that one's key. */
  readonly key?: string;
  /** Default `same`: the partition of the input. `by-key` for a hand-over, whose key lives elsewhere. */
  readonly partition?: 'same' | 'by-key';
  readonly headers?: Readonly<Record<string, string>>;
}

export interface StepResult<State> {
  /** The state after; the very object given when nothing changed; undefined to remove it. */
  readonly state: State | undefined;
  readonly outputs: readonly Output[];
}

export interface StateCodec<State> {
  encode(state: State): Buffer;
  /** Throws when the bytes are of an unknown version or damaged. */
  decode(bytes: Buffer): State;
  /** When this state wants to be woken next, log time in ms; undefined for never. A pure function of the state. */
  timerAtMs(state: State): number | undefined;
}

/**
 * One keyed processor: consumes one topic, keeps a state per key, emits records. `Evidence` is what `prepare` computes
 * for a whole batch at once (a model's scores) and hands to each step.
 */
export interface ProcessorDefinition<State, Input, Evidence = undefined> {
  /** Names the consumer group, the Redis keys and the positions, such as `feature-store`. */
  readonly name: string;
  readonly inputTopic: string;
  readonly codec: StateCodec<State>;
  decode(record: LogRecord): Decoded<Input>;
  /** A control record for the next processor; undefined for the last one. */
  forward(control: Control): { topic: string; value: Buffer } | undefined;
  /**
   * Loads and checks what a rollout names, before it comes into force; `inForce` is what is in force just before it (after a
   * start: all that is, itself too). A rejection must follow from these alone: every process that meets the record says the
   * same, in the same words. Whatever else is wrong is thrown, which stalls the partition visibly and is retried; it is
   * never skipped.
   */
  loadRollout?(rollout: Rollout, inForce: ReadonlyMap<string, Rollout>): Promise<Rejection | undefined>;
  /**
   * Once a batch, before its steps: one result an item, in order. Items are of different keys unless `key` repeats in the
   * batch; `state` is the state before the batch, so evidence may depend on state only for timers (which never share a
   * batch with a record or timer of the same key).
   */
  prepare?(items: ReadonlyArray<StepItem<State, Input>>): Promise<readonly Evidence[]>;
  /** Pure. A throw dead-letters the record and leaves the state as it was. */
  step(item: StepItem<State, Input>, evidence: Evidence): StepResult<State>;
}
