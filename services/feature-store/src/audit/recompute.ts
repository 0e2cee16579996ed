import { FeatureRecord, type FeaturesUpdated, type Rollout } from '@perennial/contracts';
import { must } from '@perennial/kernel';
import {
  type Cause,
  createLogReader,
  type LogReader,
  type ProcessorDefinition,
  type StepItem,
  type StepResult,
} from '@perennial/keyed-processor';
import type { AcceptedInput } from '../identity/identity-records.js';
import type { StoredProfile } from '../identity/stored-profile.js';
import type { FeatureEvidence } from '../processor.js';

/** A vector, and the offset of the record that caused it. */
export interface CausedUpdate {
  readonly key: string;
  readonly offset: number;
  readonly update: FeaturesUpdated;
}

/** A step that was done again, and what came of it. */
export interface ObservedStep {
  readonly item: StepItem<StoredProfile, AcceptedInput>;
  readonly evidence: FeatureEvidence;
  readonly result: StepResult<StoredProfile>;
}

type Records = Parameters<LogReader<AcceptedInput>['read']>[0];
type Definition = ProcessorDefinition<StoredProfile, AcceptedInput, FeatureEvidence>;

/**
 * Computes the vectors of some profiles again, from the records of their partition, with the processor's own code and
 * without its stores. What other keys send to them is in the log too.
 */
export class Recomputation {
  readonly #definition: Definition;
  readonly #keys: ReadonlySet<string>;
  readonly #reader: LogReader<AcceptedInput>;
  readonly #states = new Map<string, StoredProfile>();
  readonly #timers = new Map<string, number>();
  readonly #inForce = new Map<string, Rollout>();
  readonly #observe: (step: ObservedStep) => void;
  #logTimeMs = 0;

  constructor(
    definition: Definition,
    keys: ReadonlySet<string>,
    observe: (step: ObservedStep) => void = () => undefined,
  ) {
    this.#observe = observe;
    this.#definition = definition;
    this.#keys = keys;
    this.#reader = createLogReader(definition as unknown as ProcessorDefinition<never, AcceptedInput, never>);
  }

  /** Takes the next records, in order; returns what they cause. Throws as the artifacts do. */
  async take(records: Records): Promise<CausedUpdate[]> {
    const found: CausedUpdate[] = [];
    const own = records.filter(({ key }) => key === null || this.#keys.has(key.toString()));
    for (const { offset, decoded } of await this.#reader.read(own)) {
      switch (decoded.kind) {
        case 'rollout':
          this.#inForce.set(decoded.rollout.kind, decoded.rollout);
          break;
        case 'record':
          await this.#step({ key: decoded.key, cause: { kind: 'record', input: decoded.input }, offset }, found);
          break;
        case 'tick':
          if (decoded.timeMs >= this.#logTimeMs) await this.#tick(decoded.timeMs, offset, found);
      }
    }
    return found;
  }

  /** What the records taken so far leave of a profile, and what is in force after them. */
  read(key: string): {
    readonly stored: StoredProfile | undefined;
    readonly logTimeMs: number;
    readonly inForce: ReadonlyMap<string, Rollout>;
  } {
    return { stored: this.#states.get(key), logTimeMs: this.#logTimeMs, inForce: this.#inForce };
  }

  async #tick(timeMs: number, offset: number, found: CausedUpdate[]): Promise<void> {
    this.#logTimeMs = timeMs;
    for (const [key, dueAtMs] of this.#timers) {
      if (dueAtMs <= timeMs) await this.#step({ key, cause: { kind: 'timer', dueAtMs }, offset }, found);
    }
  }

  async #step(
    { key, cause, offset }: { key: string; cause: Cause<AcceptedInput>; offset: number },
    found: CausedUpdate[],
  ): Promise<void> {
    const { step, prepare, codec, inputTopic } = this.#definition;
    const context = {
      key,
      partition: 0,
      offset,
      ordinal: 0,
      logTimeMs: this.#logTimeMs,
      inForce: new Map(this.#inForce),
    };
    const item = { state: this.#states.get(key), cause, context };
    const [evidence] = await must(prepare, 'it prepares')([item]);
    if (cause.kind === 'timer') this.#timers.delete(key);
    let result: ReturnType<Definition['step']>;
    try {
      result = step(item, must(evidence, 'evidence'));
    } catch {
      // A dead letter: the profile stays as it was.
      return;
    }
    this.#observe({ item, evidence: must(evidence, 'evidence'), result });
    const { state, outputs } = result;
    if (state === undefined) this.#states.delete(key);
    else this.#states.set(key, state);
    const dueAtMs = state && codec.timerAtMs(state);
    if (dueAtMs === undefined) this.#timers.delete(key);
    else this.#timers.set(key, cause.kind === 'timer' ? Math.max(dueAtMs, this.#logTimeMs + 1) : dueAtMs);
    for (const output of outputs) {
      if (output.topic === inputTopic) continue;
      const { record } = FeatureRecord.decode(output.value);
      if (record?.$case === 'updated') found.push({ key, offset, update: record.value });
    }
  }
}
