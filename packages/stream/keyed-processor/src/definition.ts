import type { Control, Rollout } from '@perennial/contracts';
import type { LogRecord } from '@perennial/kafka';

/** A decoded record of the input topic. For any other record `decode` throws, and the record is dead-lettered. */
export type Decoded<Input> = { readonly kind: 'record'; readonly key: string; readonly input: Input } | Control;

/** Input of a step: one record, or one due timer of one profile. */
export type Cause<Input> =
  | { readonly kind: 'record'; readonly input: Input }
  | { readonly kind: 'timer'; readonly dueAtMs: number };

/**
 * All that a step may read besides its state: nothing here depends on a clock, the environment or where a batch was
 * cut.
 */
export interface StepContext {
  readonly key: string;
  readonly partition: number;
  /** Offset of the causing record (for a timer: of the tick), and the first ordinal of its outputs. */
  readonly offset: number;
  readonly ordinal: number;
  /** Highest tick so far on this partition, 0 before the first. */
  readonly logTimeMs: number;
  /** What is in force on this partition, by kind. */
  readonly inForce: ReadonlyMap<string, Rollout>;
}

/** One unit of a batch. */
export interface StepItem<State, Input> {
  /** The profile's state before; undefined for a new profile. It must not be mutated. */
  readonly state: State | undefined;
  readonly cause: Cause<Input>;
  readonly context: StepContext;
}

/** The reason why an artifact that a rollout names cannot come into force: what was in force stays in force. */
export interface Rejection {
  readonly reason: string;
}

/** A record that a step emits. Its position is added as a header by the processor. */
export interface Output {
  readonly topic: string;
  readonly value: Buffer;
  /** Default: the profile's key. A hand-over names the key of the other profile. */
  readonly key?: string;
  /**
   * Default `same`: the partition of the input. `by-key` for a hand-over, whose key may belong to another partition.
   */
  readonly partition?: 'same' | 'by-key';
  readonly headers?: Readonly<Record<string, string>>;
}

export interface StepResult<State> {
  /** The state after the step; the same object when nothing changed; undefined to remove it. */
  readonly state: State | undefined;
  readonly outputs: readonly Output[];
  /**
   * The cause, when a part of the step's work could not be done: the record becomes a dead letter too, to be redriven
   * once the cause is fixed. State, outputs and timer of the step count nevertheless, in the same commit.
   */
  readonly deadLetterCause?: string | undefined;
}

export interface StateCodec<State> {
  encode(state: State): Buffer;
  /** Throws when the bytes are of an unknown version or damaged. */
  decode(bytes: Buffer): State;
  /** Time at which this state's timer is due, log time in ms; undefined for none. A pure function of the state. */
  timerAtMs(state: State): number | undefined;
}

/**
 * A processor whose outputs the input topic holds. A record's position names one of them; one that names any other
 * source, another partition or an offset that the source's log does not have is forged.
 */
export interface PositionSource {
  readonly processor: string;
  /** Its input topic, whose offsets its positions name. */
  readonly topic: string;
  /**
   * Default `same`: its outputs stay in the partition of their cause. `any` where it hands profiles over to other
   * partitions.
   */
  readonly partition?: 'same' | 'any';
}

/**
 * One keyed processor: consumes one topic, keeps a state per key, emits records. `Evidence` is what `prepare` computes
 * for a whole batch at once (a model's scores) and passes to each step.
 */
export interface ProcessorDefinition<State, Input, Evidence = undefined> {
  /** Names the consumer group, the Redis keys and the positions, such as `feature-store`. */
  readonly name: string;
  readonly inputTopic: string;
  /** Whose outputs the input topic holds, besides records without a position; itself, if it hands over profiles. */
  readonly sources: readonly PositionSource[];
  readonly codec: StateCodec<State>;
  decode(record: LogRecord): Decoded<Input>;
  /** A control record for the next processor; undefined for the last one. */
  forward(control: Control): { topic: string; value: Buffer } | undefined;
  /**
   * Loads and checks the artifact that a rollout names, before it comes into force. `inForce` is what is in force just
   * before it (after a start: everything in force, including itself). A rejection must depend on these alone, so that
   * every process that reads the record gives the same reason in the same words. Any other failure is thrown: the
   * partition stalls visibly, and the load is retried, never skipped.
   */
  loadRollout?(rollout: Rollout, inForce: ReadonlyMap<string, Rollout>): Promise<Rejection | undefined>;
  /**
   * Called once a batch, before its steps: one result for each item, in order. Items have different keys unless `key`
   * repeats in the batch. `state` is the state before the batch, so evidence may depend on state only for timers (which
   * never share a batch with a record or timer of the same key).
   */
  prepare?(items: ReadonlyArray<StepItem<State, Input>>): Promise<readonly Evidence[]>;
  /** Pure. When it throws, the record is dead-lettered and the state stays as it was. */
  step(item: StepItem<State, Input>, evidence: Evidence): StepResult<State>;
}
