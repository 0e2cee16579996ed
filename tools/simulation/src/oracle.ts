import { encodePosition, HEADERS, isAfter, parsePosition, type Rollout, toPartition } from '@perennial/contracts';
import type { LogRecord, OutgoingRecord } from '@perennial/kafka';
import { toMessage } from '@perennial/kernel';
import type { Cause, Decoded, StepContext } from '@perennial/keyed-processor';
import { toDeadLetter } from '@perennial/keyed-processor/internals';
import type { AnyDefinition, AnyItem } from './subject.js';

export interface OracleOptions {
  readonly definition: AnyDefinition;
  readonly partition: number;
  readonly partitions: number;
  readonly deadLetterTopic: string;
  /** What the step is given at a position; where machines differ the only fact that does not follow from the log. */
  readonly toEvidence: (item: AnyItem, position: string) => Promise<unknown>;
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
export async function foldLog(records: readonly LogRecord[], options: OracleOptions): Promise<OracleResult> {
  const oracle = new Oracle(options);
  for (const record of records) await oracle.take(record);
  return oracle.result();
}

class Oracle {
  readonly #options: OracleOptions;
  readonly #states = new Map<string, object>();
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

  async take(record: LogRecord): Promise<void> {
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
      await this.#apply(decoded, record);
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

  async #apply(decoded: Decoded<unknown>, record: LogRecord): Promise<void> {
    switch (decoded.kind) {
      case 'record':
        await this.#step(decoded.key, { kind: 'record', input: decoded.input }, record);
        return;
      case 'rollout':
        await this.#loadRollout(decoded, record);
        return;
      case 'tick':
        // From a writer that has lost its partition.
        if (decoded.timeMs < this.#logTimeMs) return;
        await this.#tick(decoded.timeMs, record);
        this.#forward(decoded, record);
    }
  }

  /** A rejected one changes nothing, and is not forwarded to later stages. */
  async #loadRollout(decoded: Extract<Decoded<unknown>, { kind: 'rollout' }>, record: LogRecord): Promise<void> {
    const { rollout } = decoded;
    const rejection = await this.#options.definition.loadRollout?.(rollout, this.#inForce);
    if (rejection !== undefined) throw new Error(rejection.reason);
    this.#inForce.set(rollout.kind, rollout);
    this.#forward(decoded, record);
  }

  #forward(control: Exclude<Decoded<unknown>, { kind: 'record' }>, record: LogRecord): void {
    const output = this.#options.definition.forward(control);
    if (output !== undefined) this.#emit({ ...output, partition: this.#options.partition, key: null }, record);
  }

  /** The timers due now, once each: a timer that fires and is set again is due later. */
  async #tick(timeMs: number, record: LogRecord): Promise<void> {
    this.#logTimeMs = timeMs;
    const due = [...this.#timers].filter(([, dueAtMs]) => dueAtMs <= timeMs);
    due.sort(([a, dueA], [b, dueB]) => dueA - dueB || (a < b ? -1 : 1));
    for (const [key, dueAtMs] of due) await this.#step(key, { kind: 'timer', dueAtMs }, record);
  }

  async #step(key: string, cause: Cause<unknown>, record: LogRecord): Promise<void> {
    const { definition, toEvidence, partition, partitions } = this.#options;
    const before = this.#states.get(key);
    const context: StepContext = {
      key,
      partition,
      offset: record.offset,
      ordinal: this.#ordinal,
      logTimeMs: this.#logTimeMs,
      inForce: new Map(this.#inForce),
    };
    const item = { state: before, cause, context };
    try {
      const evidence = await toEvidence(item, this.#position(record));
      const { state, outputs, deadLetterCause } = definition.step(item, evidence);
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
    { before, after, cause }: { before: object | undefined; after: object | undefined; cause: Cause<unknown> },
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
