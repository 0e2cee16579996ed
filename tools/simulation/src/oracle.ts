import { encodePosition, HEADERS, isAfter, parsePosition, type Rollout, toPartition } from '@perennial/contracts';
import type { LogRecord, OutgoingRecord } from '@perennial/kafka';
import { toMessage } from '@perennial/kernel';
import type { Cause, Decoded, StepContext } from '@perennial/keyed-processor';
import { toDeadLetter } from '@perennial/keyed-processor/internals';
import { rejectToy, type ToyDefinition, type ToyInput, type ToyState } from './toy.js';

export interface OracleOptions {
  readonly definition: ToyDefinition;
  readonly stage: number;
  readonly partition: number;
  readonly partitions: number;
  readonly deadLetterTopic: string;
  /** The machine that computed the output at a position: the only fact that does not follow from the log. */
  readonly machineAt: (position: string) => number;
  /** Why a record's position is made up; undefined when it is not. `evident`: without a look at the source's log. */
  readonly findForgery: (record: LogRecord) => { readonly cause: string; readonly evident: boolean } | undefined;
}

export interface OracleResult {
  readonly states: Readonly<Record<string, string>>;
  readonly timers: Readonly<Record<string, number>>;
  readonly logTimeMs: number;
  readonly inForce: readonly Rollout[];
  readonly outputs: readonly OutgoingRecord[];
}

/**
 * The fault-free run: the result of a partition of the log, computed record by record in the simplest way: no batch, no
 * cache, no outbox, and none of the processor's code except its definition.
 */
export function foldLog(records: readonly LogRecord[], options: OracleOptions): OracleResult {
  const oracle = new Oracle(options);
  for (const record of records) oracle.take(record);
  return oracle.result();
}

class Oracle {
  readonly #options: OracleOptions;
  readonly #states = new Map<string, ToyState>();
  readonly #timers = new Map<string, number>();
  readonly #inForce = new Map<string, Rollout>();
  /** Highest position applied, by source. */
  readonly #applied = new Map<string, { offset: number; ordinal: number }>();
  readonly #outputs: OutgoingRecord[] = [];
  #logTimeMs = 0;
  /** Outputs so far of the current record. */
  #ordinal = 0;

  constructor(options: OracleOptions) {
    this.#options = options;
  }

  take(record: LogRecord): void {
    const position = parsePosition(record.headers[HEADERS.position]);
    this.#ordinal = 0;
    try {
      const forged = this.#options.findForgery(record);
      if (forged?.evident === true) throw new Error(forged.cause);
      const last = position && this.#applied.get(position.source);
      if (position !== undefined && last !== undefined && !isAfter(position, last)) return;
      const decoded = this.#options.definition.decode(record);
      if (forged !== undefined) throw new Error(forged.cause);
      if (position !== undefined) this.#applied.set(position.source, position);
      this.#apply(decoded, record);
    } catch (error) {
      this.#deadLetter(record, error);
    }
  }

  result(): OracleResult {
    const { codec } = this.#options.definition;
    return {
      states: Object.fromEntries(
        [...this.#states].sort().map(([key, state]) => [key, codec.encode(state).toString('latin1')]),
      ),
      timers: Object.fromEntries([...this.#timers].sort()),
      logTimeMs: this.#logTimeMs,
      inForce: [...this.#inForce.values()],
      outputs: this.#outputs,
    };
  }

  #apply(decoded: Decoded<ToyInput>, record: LogRecord): void {
    switch (decoded.kind) {
      case 'record':
        this.#step(decoded.key, { kind: 'record', input: decoded.input }, record);
        return;
      case 'rollout':
        this.#loadRollout(decoded, record);
        return;
      case 'tick':
        // From a writer that has lost its partition.
        if (decoded.timeMs < this.#logTimeMs) return;
        this.#tick(decoded.timeMs, record);
        this.#forward(decoded, record);
    }
  }

  /** A rejected one changes nothing, and is not forwarded to later stages. */
  #loadRollout(decoded: Extract<Decoded<ToyInput>, { kind: 'rollout' }>, record: LogRecord): void {
    const { rollout } = decoded;
    const rejection = rejectToy(rollout, this.#options.stage);
    if (rejection !== undefined) throw new Error(rejection.reason);
    this.#inForce.set(rollout.kind, rollout);
    this.#forward(decoded, record);
  }

  #forward(control: Exclude<Decoded<ToyInput>, { kind: 'record' }>, record: LogRecord): void {
    const output = this.#options.definition.forward(control);
    if (output !== undefined) this.#emit({ ...output, partition: this.#options.partition, key: null }, record);
  }

  /** The timers due now, once each: a timer that fires and is set again is due later. */
  #tick(timeMs: number, record: LogRecord): void {
    this.#logTimeMs = timeMs;
    const due = [...this.#timers].filter(([, dueAtMs]) => dueAtMs <= timeMs);
    due.sort(([a, dueA], [b, dueB]) => dueA - dueB || (a < b ? -1 : 1));
    for (const [key, dueAtMs] of due) this.#step(key, { kind: 'timer', dueAtMs }, record);
  }

  #step(key: string, cause: Cause<ToyInput>, record: LogRecord): void {
    const { definition, machineAt, partition, partitions } = this.#options;
    const before = this.#states.get(key);
    const context: StepContext = {
      key,
      partition,
      offset: record.offset,
      ordinal: this.#ordinal,
      logTimeMs: this.#logTimeMs,
      inForce: this.#inForce,
    };
    try {
      const machine = machineAt(this.#position(record));
      const { state, outputs, deadLetterCause } = definition.step({ state: before, cause, context }, machine);
      if (state === undefined) this.#states.delete(key);
      else this.#states.set(key, state);
      this.#setTimer(key, { before, after: state, cause });
      for (const { topic, value, key: other = key, partition: to } of outputs) {
        const place = to === 'by-key' ? toPartition(other, partitions) : partition;
        this.#emit({ topic, value, partition: place, key: Buffer.from(other) }, record);
      }
      if (deadLetterCause !== undefined) this.#deadLetter(record, deadLetterCause);
    } catch (error) {
      this.#deadLetter(record, error);
    }
  }

  #setTimer(
    key: string,
    { before, after, cause }: { before: ToyState | undefined; after: ToyState | undefined; cause: Cause<ToyInput> },
  ): void {
    const { codec } = this.#options.definition;
    const dueAtMs = after === undefined ? undefined : codec.timerAtMs(after);
    const same = before !== undefined && codec.timerAtMs(before) === dueAtMs;
    if (cause.kind === 'record' && same) return;
    if (dueAtMs === undefined) this.#timers.delete(key);
    else this.#timers.set(key, cause.kind === 'timer' ? Math.max(dueAtMs, this.#logTimeMs + 1) : dueAtMs);
  }

  #deadLetter(record: LogRecord, error: unknown): void {
    const { deadLetterTopic: topic, definition, partition } = this.#options;
    const letter = toDeadLetter(record, {
      topic,
      partition,
      processor: definition.name,
      cause: toMessage(error),
      position: this.#position(record),
      bytesMax: Number.POSITIVE_INFINITY,
    });
    this.#emit(letter, record);
  }

  #emit(output: Omit<OutgoingRecord, 'headers'> & Partial<Pick<OutgoingRecord, 'headers'>>, record: LogRecord): void {
    const headers = { ...output.headers, [HEADERS.position]: this.#position(record) };
    this.#outputs.push({ ...output, headers });
    this.#ordinal++;
  }

  #position({ offset }: LogRecord): string {
    const { definition, partition } = this.#options;
    return encodePosition({ source: `${definition.name}/${partition}`, offset, ordinal: this.#ordinal });
  }
}
