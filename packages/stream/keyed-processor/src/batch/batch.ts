import { encodePosition, HEADERS, type Rollout, toPartition } from '@perennial/contracts';
import type { LogRecord, OutgoingRecord } from '@perennial/kafka';
import { AppError, assert, toMessage } from '@perennial/kernel';
import type { Cause, Output, ProcessorDefinition, StepContext, StepItem } from '../definition.js';
import type { PartitionMeta } from '../store/store.js';
import { toDeadLetter } from './dead-letter.js';
import type { BatchEntry } from './decode-batch.js';
import { toRecordBytes } from './outbox.js';
import { type DueTimers, selectDueTimers } from './timers.js';

/** Input of a batch: the partition's meta, its records, and every state and due timer that they can touch. */
export interface BatchInput<State, Input> {
  readonly partition: number;
  readonly partitions: number;
  readonly deadLetterTopic: string;
  readonly meta: PartitionMeta;
  readonly entries: ReadonlyArray<BatchEntry<Input>>;
  readonly states: ReadonlyMap<string, State>;
  readonly timers: DueTimers;
  readonly limits: { readonly batchItemsMax: number; readonly outputBytesMax: number };
}

/**
 * What a commit has to write, and counts for telemetry. Outputs are a function of the records, never of where a batch
 * was cut.
 */
export interface BatchResult<State> {
  readonly meta: PartitionMeta;
  readonly states: ReadonlyMap<string, State | undefined>;
  readonly timers: ReadonlyMap<string, number | null>;
  readonly outputs: readonly OutgoingRecord[];
  readonly counts: { applied: number; repeated: number; poison: number; fired: number };
}

/** Processes a batch: records in order, timers when a tick makes them due, up to a bounded number of items. */
export async function processBatch<State, Input, Evidence>(
  definition: ProcessorDefinition<State, Input, Evidence>,
  input: BatchInput<State, Input>,
): Promise<BatchResult<State>> {
  return new Batch(definition, input).run();
}

interface Pending<State, Input> {
  readonly item: StepItem<State, Input>;
  readonly record: LogRecord;
}

class Batch<State, Input, Evidence> {
  readonly #definition: ProcessorDefinition<State, Input, Evidence>;
  readonly #input: BatchInput<State, Input>;
  readonly #source: string;
  readonly #states = new Map<string, State | undefined>();
  readonly #timers = new Map<string, number | null>();
  readonly #outputs: OutgoingRecord[] = [];
  readonly #counts = { applied: 0, repeated: 0, poison: 0, fired: 0 };
  readonly #applied: Record<string, { offset: number; ordinal: number }>;
  #wave: Array<Pending<State, Input>> = [];
  #inForce: ReadonlyMap<string, Rollout>;
  #logTimeMs: number;
  #next: number;
  #ordinal: number;
  #items = 0;

  constructor(definition: ProcessorDefinition<State, Input, Evidence>, input: BatchInput<State, Input>) {
    this.#definition = definition;
    this.#input = input;
    this.#source = `${definition.name}/${input.partition}`;
    this.#applied = { ...input.meta.applied };
    this.#inForce = new Map(input.meta.inForce.map((rollout) => [rollout.kind, rollout]));
    this.#logTimeMs = input.meta.logTimeMs;
    this.#next = input.meta.next;
    this.#ordinal = input.meta.ordinal;
  }

  async run(): Promise<BatchResult<State>> {
    for (const entry of this.#input.entries) {
      if (this.#items >= this.#input.limits.batchItemsMax) break;
      assert(entry.record.offset >= this.#next, 'records come in order, none below the next offset');
      const finished = await this.#take(entry);
      if (!finished) break;
      if (entry.position !== undefined && entry.result !== 'repeated') {
        this.#applied[entry.position.source] = { offset: entry.position.offset, ordinal: entry.position.ordinal };
      }
      this.#next = entry.record.offset + 1;
      this.#ordinal = 0;
    }
    await this.#flushWave();
    return {
      meta: {
        next: this.#next,
        ordinal: this.#ordinal,
        commits: this.#input.meta.commits + 1,
        logTimeMs: this.#logTimeMs,
        sequence: this.#input.meta.sequence,
        inForce: [...this.#inForce.values()],
        applied: this.#applied,
      },
      states: this.#states,
      timers: this.#timers,
      outputs: this.#outputs,
      counts: this.#counts,
    };
  }

  /** False when the record (a tick) needs another commit. */
  async #take(entry: BatchEntry<Input>): Promise<boolean> {
    const { record } = entry;
    this.#items++;
    if (entry.result === 'repeated') {
      this.#counts.repeated++;
      return true;
    }
    if (entry.result === 'poison') {
      await this.#flushWave();
      this.#deadLetter(record, entry.cause, 0);
      return true;
    }
    if (entry.result === 'wake') {
      await this.#flushWave();
      await this.#wakeUp(entry.key, record);
      return true;
    }
    const { decoded } = entry;
    switch (decoded.kind) {
      case 'record':
        this.#wave.push(this.#toPending(decoded.key, { kind: 'record', input: decoded.input }, record));
        return true;
      case 'tick':
        await this.#flushWave();
        return this.#tick(decoded, record);
      case 'rollout':
        await this.#flushWave();
        this.#inForce = new Map(this.#inForce).set(decoded.rollout.kind, decoded.rollout);
        this.#forward(decoded, record);
        return true;
    }
  }

  /** Fires the timers that are due. A tick below the log time (from a writer that lost its partition) is dropped. */
  async #tick(tick: { kind: 'tick'; timeMs: number }, record: LogRecord): Promise<boolean> {
    if (tick.timeMs < this.#logTimeMs) return true;
    this.#logTimeMs = tick.timeMs;
    const room = this.#input.limits.batchItemsMax - this.#items + 1;
    const { due, complete } = selectDueTimers(this.#input.timers, this.#timers, tick.timeMs, room);
    this.#wave = due.map((timer) => this.#toPending(timer.key, { kind: 'timer', dueAtMs: timer.dueAtMs }, record));
    this.#items += due.length;
    await this.#flushWave();
    if (complete) this.#forward(tick, record);
    return complete;
  }

  /**
   * Fires the timer of one profile, if its state still has one due: the timer was dead-lettered and is now redriven.
   */
  async #wakeUp(key: string, record: LogRecord): Promise<void> {
    const state = this.#stateOf(key);
    const dueAtMs = state === undefined ? undefined : this.#definition.codec.timerAtMs(state);
    if (dueAtMs === undefined || dueAtMs > this.#logTimeMs) return;
    this.#wave = [this.#toPending(key, { kind: 'timer', dueAtMs }, record)];
    await this.#flushWave();
  }

  async #flushWave(): Promise<void> {
    const wave = this.#wave;
    if (wave.length === 0) return;
    this.#wave = [];
    const evidence = await this.#definition.prepare?.(wave.map(({ item }) => item));
    assert(evidence === undefined || evidence.length === wave.length, 'prepare gives one result an item');
    for (let i = 0; i < wave.length; i++) this.#step(wave[i] as Pending<State, Input>, evidence?.[i] as Evidence);
  }

  #step({ item, record }: Pending<State, Input>, evidence: Evidence): void {
    const { cause } = item;
    const { key } = item.context;
    const before = this.#stateOf(key);
    // A record's outputs are numbered from 0; the numbering of a tick's timers continues from one timer to the next.
    const ordinal = cause.kind === 'timer' ? this.#ordinal : 0;
    const context: StepContext = { ...item.context, ordinal };
    try {
      const result = this.#definition.step({ state: before, cause, context }, evidence);
      const outputs = result.outputs.map((output, i) =>
        this.#toOutgoing(output, { key, record, ordinal: ordinal + i }),
      );
      const timerAtMs = this.#toTimer(result.state, cause);
      this.#emit(outputs, cause.kind);
      if (result.state !== before) this.#states.set(key, result.state);
      this.#setTimer(key, { before, cause, timerAtMs });
      if (result.deadLetterCause !== undefined) {
        this.#deadLetterItem({ item, record }, result.deadLetterCause, ordinal + outputs.length);
      } else if (cause.kind === 'timer') this.#counts.fired++;
      else this.#counts.applied++;
    } catch (error) {
      if (cause.kind === 'timer') this.#timers.set(key, null);
      this.#deadLetterItem({ item, record }, toMessage(error), ordinal);
    }
  }

  /** The letter of a timer is its tick under the profile's key, and takes one of the tick's ordinals. */
  #deadLetterItem({ item, record }: Pending<State, Input>, cause: string, ordinal: number): void {
    const isTimer = item.cause.kind === 'timer';
    this.#deadLetter(isTimer ? { ...record, key: Buffer.from(item.context.key) } : record, cause, ordinal);
    if (isTimer) this.#ordinal++;
  }

  #emit(outputs: readonly OutgoingRecord[], kind: Cause<Input>['kind']): void {
    for (const output of outputs) this.#outputs.push(output);
    if (kind === 'timer') this.#ordinal += outputs.length;
  }

  /** A timer that fires at T and asks for a time not after T would fire for ever: it gets the next millisecond. */
  #toTimer(state: State | undefined, cause: Cause<Input>): number | undefined {
    const timerAtMs = state === undefined ? undefined : this.#definition.codec.timerAtMs(state);
    if (timerAtMs === undefined || cause.kind === 'record') return timerAtMs;
    return Math.max(timerAtMs, this.#logTimeMs + 1);
  }

  #setTimer(
    key: string,
    change: { before: State | undefined; cause: Cause<Input>; timerAtMs: number | undefined },
  ): void {
    const old = change.before === undefined ? undefined : this.#definition.codec.timerAtMs(change.before);
    if (change.cause.kind === 'record' && old === change.timerAtMs) return;
    this.#timers.set(key, change.timerAtMs ?? null);
  }

  #stateOf(key: string): State | undefined {
    return this.#states.has(key) ? this.#states.get(key) : this.#input.states.get(key);
  }

  #toPending(key: string, cause: Cause<Input>, record: LogRecord): Pending<State, Input> {
    const context: StepContext = {
      key,
      partition: this.#input.partition,
      offset: record.offset,
      ordinal: 0,
      logTimeMs: this.#logTimeMs,
      inForce: this.#inForce,
    };
    return { item: { state: this.#stateOf(key), cause, context }, record };
  }

  #toOutgoing(output: Output, from: { key: string; record: LogRecord; ordinal: number }): OutgoingRecord {
    const key = output.key ?? from.key;
    const traceparent = from.record.headers[HEADERS.traceparent];
    const record: OutgoingRecord = {
      topic: output.topic,
      partition: output.partition === 'by-key' ? toPartition(key, this.#input.partitions) : this.#input.partition,
      key: Buffer.from(key),
      value: output.value,
      headers: {
        ...(traceparent === undefined ? {} : { [HEADERS.traceparent]: traceparent }),
        ...output.headers,
        [HEADERS.position]: this.#toPosition(from.record, from.ordinal),
      },
    };
    const bytes = toRecordBytes(record);
    if (bytes > this.#input.limits.outputBytesMax) {
      throw new AppError(
        'limit_exceeded',
        `an output of ${bytes} bytes for ${output.topic} exceeds ${this.#input.limits.outputBytesMax}`,
      );
    }
    return record;
  }

  #forward(control: { kind: 'tick'; timeMs: number } | { kind: 'rollout'; rollout: Rollout }, record: LogRecord): void {
    const output = this.#definition.forward(control);
    if (output === undefined) return;
    this.#outputs.push({
      topic: output.topic,
      partition: this.#input.partition,
      key: null,
      value: output.value,
      headers: { [HEADERS.position]: this.#toPosition(record, this.#ordinal) },
    });
  }

  #deadLetter(record: LogRecord, cause: string, ordinal: number): void {
    this.#counts.poison++;
    const letter = toDeadLetter(record, {
      topic: this.#input.deadLetterTopic,
      partition: this.#input.partition,
      processor: this.#definition.name,
      cause,
      position: this.#toPosition(record, ordinal),
      bytesMax: this.#input.limits.outputBytesMax,
    });
    this.#outputs.push(letter);
  }

  #toPosition(record: LogRecord, ordinal: number): string {
    return encodePosition({ source: this.#source, offset: record.offset, ordinal });
  }
}
